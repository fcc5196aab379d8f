"use strict";
/* The page's data and words. Everything that comes from data reaches the page as text, never as markup. */
const run = JSON.parse(document.getElementById("run").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const LOCALES = { en: "en-GB", uk: "uk-UA" };
const pageLang = document.documentElement.lang;
const FORMS = { one: 0, few: 1, many: 2, other: 2 };

/* A message in a language: the English text is its own key. */
function sayIn(lang, message, values) {
  return filled(lang, (words.messages[lang] || {})[message] || message, values);
}

function sayInN(lang, one, many, n, values) {
  const known = (words.messages[lang] || {})[one];
  const form = new Intl.PluralRules(LOCALES[lang]).select(n);
  const text = known ? known[FORMS[form]] : form === "one" ? one : many;
  return filled(lang, text, Object.assign({ n: n }, values));
}

function filled(lang, text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = (values || {})[name];
    return value === undefined ? whole : typeof value === "number" ? number(value, 0, lang) : value;
  });
}

function say(message, values) {
  return sayIn(pageLang, message, values);
}

function sayN(one, many, n, values) {
  return sayInN(pageLang, one, many, n, values);
}

const formats = {};
function number(value, digits, lang) {
  const key = (lang || pageLang) + digits;
  if (!formats[key]) {
    formats[key] = new Intl.NumberFormat(LOCALES[lang || pageLang], { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  return formats[key].format(value).replace("-", "−");
}

/* Tenths of a km as whole km, and as a figure a person long. */
function km(tenths, lang) {
  return number(Math.round(tenths / 10), 0, lang);
}

function each(units, persons) {
  return number(units / 10 / Math.max(1, persons || 1), 1);
}

function day(iso, lang) {
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat(LOCALES[lang || pageLang], options).format(new Date(iso + "T00:00:00Z"));
}

function code(table, key, lang) {
  const known = words.codes[lang || pageLang][table];
  return known[key] === undefined ? key : known[key];
}

/* The same for words that go with a number. */
function codeN(table, key, n) {
  const forms = words.codes[pageLang][table][key];
  const form = new Intl.PluralRules(LOCALES[pageLang]).select(n);
  return filled(pageLang, forms.length === 2 ? forms[form === "one" ? 0 : 1] : forms[FORMS[form]], { n: n });
}

function placeName(index, lang) {
  if (index === null) return "";
  const place = run.places[index];
  return place[(lang || pageLang) === "uk" ? 1 : 0];
}

function oblastName(key, lang) {
  if (key === null || run.oblasts[key] === undefined) return "";
  return run.oblasts[key][(lang || pageLang) === "uk" ? 1 : 0];
}

/* An element with attributes and children; strings become text. */
function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) made.append(child);
  }
  return made;
}

/* Rows as objects: the data names its columns once. */
function rowsOf(table) {
  return table.rows.map((cells) => {
    const row = {};
    table.fields.forEach((name, i) => { row[name] = cells[i]; });
    return row;
  });
}

const LEFT_OUT = ["no_consent", "quarantined", "no_adult", "held"];
const placed = rowsOf(run.placed);
const unplaced = rowsOf(run.unplaced);
