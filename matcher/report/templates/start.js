/* The two tables, and what leads into them. */
const tables = {
  unplaced: makeTable(document.getElementById("unplaced"), {
    name: "u",
    rows: unplaced,
    sort: "priority",
    detail: unplacedDetail,
    text: (row) => [row.id, placeName(row.from, "en"), placeName(row.from, "uk"), code("reasons", row.reason), row.reason].join(" "),
    filters: {
      reason: (row, value) => row.reason === value,
      priority: (row, value) => String(row.priority) === value,
      group: (row, value) => LEFT_OUT.includes(row.reason) === (value === "left_out"),
    },
    columns: [
      { key: "id", label: say("Family"), value: (row) => row.id },
      { key: "priority", label: say("Priority"), value: (row) => row.priority, cell: (row) => (row.priority === null ? "?" : String(row.priority)), number: true },
      { key: "persons", label: say("Persons"), value: (row) => row.persons, cell: (row) => (row.persons === null ? "?" : number(row.persons, 0)), number: true, narrow: true },
      { key: "reason", label: say("Why"), value: (row) => code("reasons", row.reason), cell: (row) => code("reasons", row.reason) },
      { key: "from", label: say("Is now in"), value: (row) => placeName(row.from), cell: (row) => placeName(row.from), wide: true },
      { key: "waiting", label: say("Days waited"), value: (row) => (row.waiting === null ? null : -row.waiting), cell: (row) => (row.waiting === null ? "" : number(row.waiting, 0)), number: true, wide: true },
    ],
  }),
  placed: makeTable(document.getElementById("placements"), {
    name: "p",
    rows: placed,
    sort: "id",
    detail: placedDetail,
    text: (row) => [row.id, placeName(row.from, "en"), placeName(row.from, "uk"), placeName(run.offers[row.offer][1], "en"), placeName(run.offers[row.offer][1], "uk"), run.offers[row.offer][0]].join(" "),
    filters: {
      oblast: (row, value) => run.places[run.offers[row.offer][1]][2] === value,
      priority: (row, value) => String(row.priority) === value,
      status: (row, value) => value === "changed" ? row.changed_from !== null : row.status === value,
    },
    columns: [
      { key: "id", label: say("Family"), value: (row) => row.id },
      { key: "priority", label: say("Priority"), value: (row) => row.priority, cell: (row) => String(row.priority), number: true, wide: true },
      { key: "persons", label: say("Persons"), value: (row) => row.persons, cell: (row) => number(row.persons, 0), number: true, narrow: true },
      { key: "from", label: say("From"), value: (row) => placeName(row.from), cell: (row) => placeName(row.from), wide: true },
      { key: "to", label: say("To"), value: (row) => placeName(run.offers[row.offer][1]), cell: (row) => placeName(run.offers[row.offer][1]) },
      { key: "offer", label: say("Offer"), value: (row) => run.offers[row.offer][0], cell: (row) => run.offers[row.offer][0], wide: true },
      { key: "km", label: say("km"), value: (row) => row.km10, cell: (row) => (row.estimated ? "≈\u00a0" : "") + km(row.km10), number: true },
      { key: "status", label: say("Standing"), value: (row) => code("status", row.status), cell: (row) => code("status", row.status), wide: true },
    ],
  }),
};

function show(id) {
  return tables.unplaced.show(id) || tables.placed.show(id);
}

for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => show(button.dataset.show));
}
for (const button of document.querySelectorAll("[data-reason]")) {
  button.addEventListener("click", () => {
    tables.unplaced.set({ reason: button.dataset.reason });
    document.getElementById("unplaced").scrollIntoView();
  });
}
for (const button of document.querySelectorAll("[data-sheets]")) {
  button.addEventListener("click", () => openSheets(tables[button.dataset.sheets].found()));
}
const ties = document.getElementById("show-ties");
if (ties) ties.addEventListener("change", () => document.getElementById("map-ties").classList.toggle("shown", ties.checked));
for (const shape of document.querySelectorAll("[data-oblast]")) {
  shape.addEventListener("click", () => {
    tables.placed.set({ oblast: shape.dataset.oblast });
    document.getElementById("placements").scrollIntoView();
  });
}
if (location.hash.length > 1) show(decodeURIComponent(location.hash.slice(1)));
