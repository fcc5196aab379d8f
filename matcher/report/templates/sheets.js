/* One sheet for each family, in plain language, with nothing of others on it. */
const box = document.getElementById("sheet-box");
const paper = document.getElementById("sheets");
const CITIES = new Set(["UA80", "UA85"]); // cities that are oblasts themselves: "Kyiv, Kyiv City" says it twice
const sheetLang = document.getElementById("sheet-lang");
let onPaper = [];

function openSheets(rows) {
  onPaper = rows;
  writeSheets();
  if (!box.open) box.showModal();
}

function writeSheets() {
  paper.replaceChildren(...onPaper.map((row) => sheet(row, sheetLang.value)));
  paper.lang = sheetLang.value;
}

function sheet(row, lang) {
  const head = [
    el("p", { class: "brand" }, sayIn(lang, "Accommodation for displaced people")),
    el("h2", {}, row.offer === undefined ? sayIn(lang, "There is no place for you yet") : sayIn(lang, "A place is proposed to you")),
    el("p", { class: "who" }, [row.id, persons(row.persons, lang), day(run.date, lang)].filter(Boolean).join(" · ")),
  ];
  return el("article", { class: "sheet", "data-id": row.id }, head, row.offer === undefined ? waitingSheet(row, lang) : placeSheet(row, lang), el("p", { class: "foot" }, sayIn(lang, "Keep this number for all questions: {id}", { id: row.id })));
}

function line(term, text) {
  return text ? el("div", {}, el("dt", {}, term), el("dd", {}, text)) : null;
}

function placeSheet(row, lang) {
  const offer = run.offers[row.offer];
  const town = placeName(offer[1], lang), oblast = oblastName(run.places[offer[1]][2], lang);
  const place = oblast && !CITIES.has(run.places[offer[1]][2]) ? `${town}, ${oblast}` : town;
  const settled = row.status === "proposed" ? sayIn(lang, "This is a proposal. You may accept it or decline it.") : sayIn(lang, "This is the place that you have already.");
  return [
    el("p", { class: "big" }, place),
    el("dl", {},
      line(sayIn(lang, "What it is"), code("kinds", offer[2], lang)),
      line(sayIn(lang, "Number of the offer"), offer[0]),
      line(sayIn(lang, "Way from where you are now"), sayIn(lang, "{from}: {way}", { from: placeName(row.from, lang), way: journey(row, lang) })),
      line(sayIn(lang, "Rooms for you"), row.rooms.length ? sayInN(lang, "{n} room ({beds} beds)", "{n} rooms ({beds} beds)", row.rooms.length, { beds: row.rooms.join(" + ") }) : ""),
      line(sayIn(lang, "The place has"), offer[3].map((word) => code("features", word, lang)).join(", ")),
      line(sayIn(lang, "You can stay until"), offer[4] === null ? "" : day(offer[4], lang)),
      line(sayIn(lang, "Your people and places"), ownPlaces(row, lang))),
    el("h3", {}, sayIn(lang, "Why this place")),
    el("p", {}, sayIn(lang, "It fits what you told us you cannot do without. Among the places that fit, the way there, your people, your wishes and safety were weighed, together with those of everybody else who needs a place tonight.")),
    el("h3", {}, sayIn(lang, "What you can do")),
    el("p", {}, settled + " " + sayIn(lang, "If something here is wrong, or has changed, tell the person who gave you this sheet: the plan can be made again.")),
  ];
}

/* Ties to places only: another household on the sheet would be somebody else's affair. */
function ownPlaces(row, lang) {
  const near = row.ties.filter((tie) => typeof tie[1] === "number" && tie[0] !== "apart" && tie[4] !== null);
  return near.map(([, target, relation, , km10]) => sayIn(lang, "{name}: {km} km from there", {
    name: relation === null ? placeName(target, lang) : placeName(target, lang) + " (" + code("relations", relation, lang) + ")", km: km(km10, lang),
  })).join("; ");
}

function waitingSheet(row, lang) {
  return [
    el("h3", {}, sayIn(lang, "Why")),
    el("p", { class: "big" }, code("family", row.reason, lang)),
    el("h3", {}, sayIn(lang, "What you can do")),
    el("p", {}, code("family_advice", row.reason, lang)),
    el("p", {}, sayIn(lang, "If something has changed, tell the person who gave you this sheet: the plan can be made again.")),
  ];
}

sheetLang.addEventListener("change", writeSheets);
document.getElementById("sheet-close").addEventListener("click", () => box.close());
document.getElementById("sheet-print").addEventListener("click", () => {
  document.body.classList.add("on-paper");
  window.print();
});
window.addEventListener("afterprint", () => document.body.classList.remove("on-paper"));
box.addEventListener("close", () => { paper.replaceChildren(); onPaper = []; });
