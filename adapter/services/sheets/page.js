"use strict";
// The search: every word has to be in a row; a section without a row is hidden. "/" goes to the search, Escape empties it,
// the arrow keys go from row to row, Enter opens what a row holds.
const search = document.querySelector("input[type=search]");
const count = document.querySelector("output");
const none = document.querySelector(".none");
const rows = [...document.querySelectorAll("tbody.rows > tr")];
const texts = rows.map((row) => `${row.closest("section").querySelector("h2").textContent} ${row.textContent}`.toLowerCase());
const sections = [...document.querySelectorAll("section")];

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, index) => {
    const fits = words.every((word) => texts[index].includes(word));
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  });
  for (const section of sections) {
    const own = [...section.querySelectorAll("tbody.rows > tr")];
    section.hidden = own.length > 0 && own.every((row) => row.hidden);
  }
  count.textContent = words.length ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
  none.hidden = shown > 0;
  history.replaceState(null, "", words.length ? `#q=${encodeURIComponent(search.value)}` : location.pathname + location.search);
}

function move(step) {
  const visible = rows.filter((row) => !row.hidden);
  const at = visible.indexOf(document.activeElement.closest("tbody.rows > tr"));
  const next = visible[Math.min(Math.max(at + step, 0), visible.length - 1)];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
}

search.addEventListener("input", filter);
document.addEventListener("keydown", (event) => {
  const typing = event.target === search;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !typing) { search.focus(); search.select(); }
  else if (event.key === "Escape") { search.value = ""; filter(); search.focus(); }
  else if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp" && !typing) move(-1);
  else if (event.key === "Enter" && event.target.matches("tbody.rows > tr")) {
    const details = [...event.target.querySelectorAll("details")];
    const open = details.some((each) => !each.open);
    details.forEach((each) => { each.open = open; });
  } else return;
  event.preventDefault();
});
const asked = /^#q=(.*)$/.exec(location.hash);
if (asked) search.value = decodeURIComponent(asked[1]);
if (asked) filter(); else count.textContent = `${rows.length} rows`;
