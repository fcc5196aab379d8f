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
  if (!row.ties.length) return [el("p", {}, say("No ties are recorded, or none that may be told."))];
  return [el("ul", { class: "plain ties" }, row.ties.map((tie) => el("li", { class: tie[5] === 1 ? "kept" : tie[5] === 0 ? "missed" : null }, tieSentence(tie))))];
}

function tieSentence([kind, target, relation, required, km10, kept]) {
  const name = typeof target === "number" ? placeName(target) : target === null ? say("a household") : target;
  let what = code("tie_kinds", kind).replace("{target}", name);
  if (relation !== null) what = say("{relation}: {tie}", { relation: code("relations", relation), tie: what });
  if (required) what = say("{tie} (a condition)", { tie: what });
  if (kept === null) return say("{tie}: not told, or not placed", { tie: what });
  const state = kept ? say("kept") : say("missed");
  if (km10 === null || kind === "apart") return say("{tie}: {kept}", { tie: what, kept: state });
  return say("{tie}: {kept}, {km} km", { tie: what, kept: state, km: km(km10) });
}

function alternativeLines(row) {
  const free = row.alternatives.map(([offer, added, again]) => el("li", {}, alternative(offer, added, row.persons), again === undefined || again === added ? null : " " + moved(again, row.persons)));
  const other = row.others.map(([offer, added, rules, full]) => el("li", {}, say("{offer}; but {way}", {
    offer: alternative(offer, added, row.persons), way: full === null ? rules.map((rule) => code("barred", rule)).join(", ") : fullSentence(full),
  })));
  return [
    free.length ? el("p", { class: "small" }, say("Free for it as well; all else as it is, it would cost:")) : el("p", {}, say("No other offer is open to it as things are.")),
    el("ul", { class: "plain" }, free),
    other.length ? el("p", { class: "small" }, say("Not to be had:")) : null,
    el("ul", { class: "plain" }, other),
  ];
}

function fullSentence([households, fixed, nowhere, loss]) {
  const free = households - fixed;
  if (households === 0) return say("it has no room for them");
  if (free <= 0) return sayN("full: {n} household there has moved in, accepted or been given it by a decision", "full: {n} households there have moved in, accepted or been given it by a decision", households);
  if (loss !== null) return sayN("full: {n} household there would lose at least {km} km per person if it moved", "full: {n} households there would each lose at least {km} km per person if they moved", free - nowhere, { km: number(loss / 10, 1) });
  if (nowhere === free) return sayN("full: {n} household there has nowhere else to go", "full: {n} households there have nowhere else to go", free);
  return sayN("full: {n} household is there", "full: {n} households are there", households);
}

function alternative(offer, added, size) {
  const values = { offer: offerName(offer), each: each(Math.abs(added), size) };
  return added >= 0 ? say("{offer}: {each} km per person more", values) : say("{offer}: {each} km per person less", values);
}

/* The same with the plan made again around it. */
function moved(units, size) {
  return say("(or {each} km per person, if others may move too)", { each: each(units, size) });
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

/* The funnel of rules: what is left after each. */
function funnelBars([offers, struck, left]) {
  return el("div", {},
    el("p", { class: "small" }, sayN("Of {n} offer:", "Of {n} offers:", offers)),
    el("ul", { class: "bars" },
      struck.map(([rule, n]) => el("li", {}, el("span", { class: "name" }, codeN("rules", rule, n)), el("span", { class: "bar", "aria-hidden": "true" }, bar(n / Math.max(1, offers))), el("span", { class: "value" }, "−" + number(n, 0)))),
      el("li", { class: "total" }, el("span", { class: "name" }, say("left for it")), el("span", { class: "bar", "aria-hidden": "true" }, left ? bar(left / Math.max(1, offers)) : null), el("span", { class: "value" }, number(left, 0)))));
}

function whyNot(row) {
  if (LEFT_OUT.includes(row.reason)) return [el("p", {}, code("left_out", row.said))];
  const lines = [];
  if (row.reason === "no_capacity" && row.funnel) lines.push(sayN("{n} offer would suit it; as the plan stands it is full, or kept from it by a tie.", "{n} offers would suit it; as the plan stands each is full, or kept from it by a tie.", row.funnel[2]));
  if (row.reason === "tie") lines.push(say("None of the offers that would suit it keeps its required ties."));
  if (row.reason === "split_pair") lines.push(say("It must be placed together with another household, which could not be placed or is left out."));
  if (row.reason === "policy") lines.push(say("By this policy every place it could have would cost more than leaving it unplaced; check the weights."));
  if (!row.funnel) lines.push(say("Too many households to explain each here: matcher explain says more of this one."));
  const opener = row.funnel && !row.funnel[2] ? row.funnel[3] : null;
  if (row.reason === "no_eligible" && row.funnel && !row.funnel[2]) lines.push(say("No offer passes all rules."));
  if (opener) lines.push(sayN("But for {rule}, {n} offer would suit it.", "But for {rule}, {n} offers would suit it.", opener[1], { rule: code("rule_names", opener[0]) }));
  return lines.map((text) => el("p", {}, text));
}

function preferredLines(row) {
  return row.preferred.map(([offer, id, why, margin]) => {
    const who = id === null ? say("a household there") : id;
    let way;
    if (why === "fixed") way = say("who is there has moved in or accepted");
    else if (why === "pinned") way = say("it is given away by a decision in overrides.csv");
    else if (why === "linked") way = say("who is there is bound to others");
    else if (why === "room") way = say("no single household there could make room for it");
    else if (why === "several") way = say("there is no room for all who must be placed with it");
    else if (words.codes[pageLang].weightier[why]) way = code("weightier", why).replace("{who}", who);
    else way = say("{who} is preferred, by {each} km per person, mostly because {why}", { who: who, each: each(margin || 0, row.persons), why: code("margin", why) });
    return el("li", {}, say("{offer}, but {way}", { offer: offerName(offer), way: way }));
  });
}

function helpLines(row) {
  if (row.remedy) return [el("p", { class: "remedy" }, row.remedy[pageLang] || row.remedy.en)];
  if (!row.examined) return [];
  return [el("p", {}, say("No single change of its date, its longest journey, the kinds it accepts or its wishes, and no one more offer would place it without taking a place from somebody else."))];
}

function unplacedDetail(row) {
  const preferred = preferredLines(row);
  const help = helpLines(row);
  return el("div", { class: "card" },
    el("p", { class: "lead" }, say("{id}: {reason}", { id: row.id, reason: code("reasons", row.reason) })),
    el("div", { class: "blocks" },
      block(say("Why"), ...whyNot(row), preferred.length ? el("ul", { class: "plain" }, preferred) : null),
      help.length ? block(say("What would help"), ...help) : null,
      block(say("What to do"), el("p", {}, code("advice", row.reason))),
      row.funnel && row.funnel[1].length ? block(say("Rule by rule"), funnelBars(row.funnel)) : null),
    sheetButton(row));
}

function sheetButton(row) {
  return el("p", { class: "actions" }, el("button", { type: "button", class: "act", onclick: (event) => { event.stopPropagation(); openSheets([row]); } }, say("Sheet for the family")));
}
