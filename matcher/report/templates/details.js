/* What there is to say of one household. */
function block(title, ...content) {
  return el("div", { class: "block" }, el("h4", {}, title), ...content);
}

function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter((pair) => pair[1] !== "" && pair[1] !== null).map((pair) => el("div", {}, el("dt", {}, pair[0]), el("dd", {}, pair[1]))));
}

function persons(n, lang) {
  return n === null || n === undefined ? "" : sayInN(lang || pageLang, "{n} person", "{n} persons", n);
}

function offerName(index) {
  const offer = run.offers[index];
  return say("{offer} in {place}", { offer: offer[0], place: placeName(offer[1]) });
}

function journey(row, lang) {
  const values = { km: km(row.km10, lang) };
  return row.estimated ? sayIn(lang, "about {km} km (estimated)", values) : sayIn(lang, "{km} km", values);
}

/* Cost by term as bars: longest first. */
function costBars(row) {
  const terms = [...row.terms].sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...terms.map((term) => term[1]));
  const total = terms.reduce((sum, term) => sum + term[1], 0);
  return el("div", {},
    el("p", { class: "small" }, say("In kilometres per person: {each} in all.", { each: each(total, row.persons) })),
    el("ul", { class: "bars" }, terms.map(([term, units]) => el("li", {},
      el("span", { class: "name" }, code("terms", run.terms[term])),
      el("span", { class: "bar", "aria-hidden": "true" }, bar(units / most)),
      el("span", { class: "value" }, each(units, row.persons))))));
}

function bar(share) {
  const made = el("i", {});
  made.style.width = Math.max(1, 100 * share).toFixed(1) + "%";
  return made;
}

function tieLines(row) {
  if (row.tie_km10 === null) return [el("p", {}, say("No ties are recorded."))];
  const kept = sayN("{n} tie is kept.", "{n} ties are kept.", row.ties_kept);
  return [el("p", {}, kept + " " + say("The nearest is {km} km away.", { km: km(row.tie_km10) }))];
}

function alternativeLines(row) {
  if (!row.alternatives.length) return [el("p", {}, say("No other offer is open to it as things are."))];
  return [
    el("p", { class: "small" }, say("Free for it as well; all else as it is, it would cost:")),
    el("ul", { class: "plain" }, row.alternatives.map(([offer, added]) => el("li", {}, alternative(offer, added, row.persons)))),
  ];
}

function alternative(offer, added, size) {
  const values = { offer: offerName(offer), each: each(Math.abs(added), size) };
  return added >= 0 ? say("{offer}: {each} km per person more", values) : say("{offer}: {each} km per person less", values);
}

function placedDetail(row) {
  const offer = run.offers[row.offer];
  const changed = row.changed_from === null ? "" : say("was proposed {offer} before", { offer: offerName(row.changed_from) });
  return el("div", { class: "card" },
    el("p", { class: "lead" }, say("{id} ({persons}) goes from {from} to {offer}, {way}.", {
      id: row.id, persons: persons(row.persons), from: placeName(row.from), offer: offerName(row.offer), way: journey(row, pageLang),
    })),
    el("div", { class: "blocks" },
      block(say("The offer"), facts([
        [say("Kind"), code("kinds", offer[2])],
        [say("Oblast"), oblastName(run.places[offer[1]][2])],
        [say("Rooms taken, by beds"), row.rooms.join(" + ")],
        [say("It has"), offer[3].map((word) => code("features", word)).join(", ")],
        [say("It ends"), offer[4] === null ? "" : day(offer[4])],
        [say("Minutes on the way"), row.minutes === null ? "" : number(row.minutes, 0)],
        [say("Standing"), code("status", row.status)],
        [say("Change"), changed],
      ])),
      block(say("What speaks against it, weighed"), costBars(row)),
      block(say("Family and other ties"), ...tieLines(row)),
      block(say("Next best offers"), ...alternativeLines(row))),
    sheetButton(row));
}

function unplacedDetail(row) {
  return el("div", { class: "card" },
    el("p", { class: "lead" }, code("reasons", row.reason)),
    el("div", { class: "blocks" },
      block(say("Why"), el("p", {}, row.sentence)),
      block(say("What to do"), el("p", {}, code("advice", row.reason)))),
    sheetButton(row));
}

function sheetButton(row) {
  return el("p", { class: "actions" }, el("button", { type: "button", class: "act", onclick: (event) => { event.stopPropagation(); openSheets([row]); } }, say("Sheet for the family")));
}
