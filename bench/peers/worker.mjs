// A peer in Node: `worker.mjs NAME JOB MODULES`. The same talk as worker.py.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [name, path, modules] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const here = dirname(fileURLToPath(import.meta.url));
const text = (file) => readFileSync(join(here, "maps", file), "utf8");
const job = JSON.parse(readFileSync(path, "utf8"));

const peers = {
  jsonata() {
    const jsonata = require("jsonata");
    const [out, back] = [jsonata(text("out.jsonata")), jsonata(text("back.jsonata"))];
    return { out: () => out.evaluate(job.plan), back: () => back.evaluate(job.bundle) };
  },
  medplum() {
    const { loadDataType, parseMappingLanguage, structureMapTransform } = require("@medplum/core");
    definitions().forEach((definition) => loadDataType(definition));
    const work = (file, type, value) => {
      const map = parseMappingLanguage(text(file));
      return () => structureMapTransform(map, [{ type, value }])[0].value;
    };
    return { out: work("out.fml", "Plan", job.plan), back: work("back.fml", "Bundle", job.bundle) };
  },
};

// The engine builds lists only where a definition says so: the elements that the maps build, as StructureDefinitions.
function definitions() {
  return Object.entries(JSON.parse(text("fml-types.json"))).map(([type, elements]) => {
    const element = Object.entries(elements).map(([name, kind]) => ({
      id: `${type}.${name}`, path: `${type}.${name}`, min: 0, max: kind.endsWith("*") ? "*" : "1",
      base: { path: `${type}.${name}`, min: 0, max: kind.endsWith("*") ? "*" : "1" },
      type: [{ code: kind.replace("*", "") }],
    }));
    return {
      resourceType: "StructureDefinition", url: `http://hl7.org/fhir/StructureDefinition/${type}`, name: type, type,
      kind: "resource", snapshot: { element: [{ id: type, path: type, min: 0, max: "*" }, ...element] },
    };
  });
}

const works = peers[name]();
console.log(JSON.stringify({ out: await works.out(), back: await works.back() }));
const spent = (since) => {
  const used = process.cpuUsage(since);
  return (used.user + used.system) / 1e6;
};
for await (const line of createInterface({ input: process.stdin })) {
  const [direction, seconds] = line.split(" ");
  const work = works[direction];
  const start = process.cpuUsage();
  let done = 0;
  while (spent(start) < Number(seconds)) {
    for (let index = 0; index < 10; index++) await work();
    done += 10;
  }
  console.log(done / spent(start));
}
