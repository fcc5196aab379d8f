/* A table that can be searched, sorted and filtered; each row opens what there is to say of it. */
const STEP = 50;
const collators = new Intl.Collator(LOCALES[pageLang], { numeric: true });

function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : collators.compare(String(a), String(b));
}

/* Classes of a column: numbers stand right; `wide` and `narrow` ones are left away on small screens. */
function kindOf(column) {
  return ["number", "wide", "narrow"].filter((name) => column[name]).join(" ") || null;
}

/* root: a <section> with a form, a table and places for the count and for "more" (page.html).
   look: columns [{key, label, value, cell, number, wide}], rows, text(row), detail(row), filters {name: test(row, value)}. */
function makeTable(root, look) {
  const table = root.querySelector("table");
  const body = table.tBodies[0];
  const state = { found: look.rows, limit: STEP, sort: look.sort, down: false, open: new Set() };
  const texts = new Map();
  const numbers = new Map(look.rows.map((row, i) => [row, i]));

  function textOf(row) {
    if (!texts.has(row)) texts.set(row, look.text(row).toLocaleLowerCase(LOCALES[pageLang]));
    return texts.get(row);
  }

  function chosen() {
    const query = root.querySelector("input[type=search]").value.trim().toLocaleLowerCase(LOCALES[pageLang]);
    const parts = query ? query.split(/\s+/) : [];
    const tests = [];
    for (const select of root.querySelectorAll("select[data-filter]")) {
      if (select.value !== "") tests.push((row) => look.filters[select.dataset.filter](row, select.value));
    }
    return look.rows.filter((row) => tests.every((test) => test(row)) && parts.every((part) => textOf(row).includes(part)));
  }

  function update() {
    const column = look.columns.find((one) => one.key === state.sort);
    const keyed = chosen().map((row) => [column.value(row), row]);
    const sign = state.down ? -1 : 1;
    keyed.sort((a, b) => sign * compare(a[0], b[0]) || compare(a[1].id, b[1].id));
    state.found = keyed.map((pair) => pair[1]);
    state.limit = STEP;
    draw();
  }

  function draw() {
    body.replaceChildren();
    const rows = state.found.slice(0, state.limit);
    for (const row of rows) body.append(...lines(row));
    if (!rows.length) body.append(el("tr", { class: "none" }, el("td", { colspan: look.columns.length }, say("Nothing fits. Change the search or the filters."))));
    root.querySelector("[data-count]").textContent = state.found.length > rows.length
      ? sayN("{shown} of {n} household shown", "{shown} of {n} households shown", state.found.length, { shown: rows.length })
      : sayN("{n} household", "{n} households", rows.length);
    root.querySelector("[data-more]").hidden = state.found.length <= rows.length;
  }

  function lines(row) {
    const open = state.open.has(row.id);
    const id = look.name + "-" + numbers.get(row);
    const button = el("button", { type: "button", class: "opener", "aria-expanded": String(open), "aria-controls": id }, row.id);
    const cells = look.columns.map((column, i) => {
      const content = i === 0 ? button : column.cell(row);
      const kind = kindOf(column);
      return i === 0 ? el("th", { scope: "row" }, content) : el("td", { class: kind }, content);
    });
    const line = el("tr", { class: "row" + (open ? " open" : ""), "data-id": row.id, onclick: (event) => { if (!event.target.closest("a, select")) toggle(row); } }, cells);
    return open ? [line, detailLine(row, id)] : [line];
  }

  function detailLine(row, id) {
    return el("tr", { class: "detail", id: id }, el("td", { colspan: look.columns.length }, look.detail(row)));
  }

  function toggle(row) {
    const line = [...body.rows].find((one) => one.dataset.id === row.id);
    const id = look.name + "-" + numbers.get(row);
    const open = !state.open.has(row.id);
    if (open) state.open.add(row.id);
    else state.open.delete(row.id);
    line.classList.toggle("open", open);
    line.querySelector("button").setAttribute("aria-expanded", String(open));
    if (open) line.after(detailLine(row, id));
    else document.getElementById(id).remove();
  }

  function heads() {
    const line = table.tHead.rows[0];
    for (const column of look.columns) {
      const button = el("button", { type: "button", onclick: () => {
        state.down = state.sort === column.key ? !state.down : false;
        state.sort = column.key;
        mark();
        update();
      } }, column.label);
      line.append(el("th", { scope: "col", "data-key": column.key, class: kindOf(column) }, button));
    }
  }

  function mark() {
    for (const head of table.tHead.rows[0].cells) {
      head.setAttribute("aria-sort", head.dataset.key !== state.sort ? "none" : state.down ? "descending" : "ascending");
    }
  }

  heads();
  mark();
  root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  root.querySelector("input[type=search]").addEventListener("input", update);
  for (const select of root.querySelectorAll("select[data-filter]")) select.addEventListener("change", update);
  root.querySelector("[data-more]").addEventListener("click", () => { state.limit += 4 * STEP; draw(); });
  update();
  return {
    found: () => state.found,
    /* Filters as given, the search empty or as given. */
    set(values, query) {
      root.querySelector("input[type=search]").value = query || "";
      for (const select of root.querySelectorAll("select[data-filter]")) select.value = values[select.dataset.filter] || "";
      update();
    },
    /* Show one household, opened. */
    show(id) {
      const row = look.rows.find((one) => one.id === id);
      if (!row) return false;
      this.set({}, id);
      state.found = [row, ...state.found.filter((one) => one !== row)];
      state.open.add(id);
      draw();
      const line = [...body.rows].find((one) => one.dataset.id === id);
      line.scrollIntoView({ block: "center" });
      line.querySelector("button").focus({ preventScroll: true });
      return true;
    },
  };
}
