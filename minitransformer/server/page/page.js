// Suggestions while typing, products after Enter. What comes from the server is only ever set as text, never as HTML.
"use strict";

const form = document.getElementById("form");
const input = document.getElementById("query");
const list = document.getElementById("suggestions");
const showAll = document.getElementById("all");
const hits = document.getElementById("hits");
const status = document.getElementById("status");
const error = document.getElementById("error");

const NAMES = ["id", "product_id", "name", "title"]; // columns that are shown elsewhere, or nowhere
let chosen = -1; // the suggestion that the arrow keys point to
let typed = ""; // what was typed before they did
const latest = {}; // by path: the request whose answer counts

/** The JSON that a path answers with, or null if a later request was sent meanwhile. */
async function ask(path, parameters) {
  latest[path]?.abort();
  const controller = (latest[path] = new AbortController());
  try {
    const response = await fetch(`${path}?${new URLSearchParams(parameters)}`, { signal: controller.signal });
    const answer = await response.json();
    if (controller !== latest[path]) return null;
    error.textContent = response.ok ? "" : answer.error;
    return response.ok ? answer : null;
  } catch (problem) {
    if (problem.name !== "AbortError") error.textContent = "The shop can't be reached. Is the server still running?";
    return null;
  }
}

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

async function suggest() {
  typed = input.value;
  if (!typed.trim()) return close();
  const answer = await ask("suggest", { q: typed, all: showAll.checked ? 1 : 0 });
  if (answer === null || document.activeElement !== input) return;
  list.replaceChildren();
  answer.suggestions.forEach((suggestion, number) => {
    const item = element("li", suggestion.text, list);
    item.id = `suggestion-${number}`;
    item.dataset.text = suggestion.text;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    if (suggestion.correction) element("small", `for “${suggestion.correction}”`, item);
    const same = suggestion.hides.map((hidden) => hidden.text).join(", ");
    if (same) element("small", `also: ${same}`, item);
    item.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the box keeps the focus
      pick(suggestion.text);
    });
  });
  choose(-1);
  const count = answer.suggestions.length;
  open(count > 0);
  status.textContent = count === 1 ? "1 suggestion" : `${count} suggestions`;
}

function open(isOpen) {
  list.hidden = !isOpen;
  input.setAttribute("aria-expanded", String(isOpen));
}

function close() {
  latest.suggest?.abort();
  open(false);
  choose(-1);
}

/** Let the arrow keys point to a suggestion; -1 is what was typed. */
function choose(number) {
  list.children[chosen]?.setAttribute("aria-selected", "false");
  chosen = number;
  const item = list.children[chosen];
  if (!item) return input.removeAttribute("aria-activedescendant");
  item.setAttribute("aria-selected", "true");
  item.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", item.id);
}

function pick(text) {
  input.value = text;
  search();
}

async function search() {
  close();
  const query = input.value.trim();
  if (!query) return;
  history.replaceState(null, "", `?${new URLSearchParams({ q: query })}`);
  const answer = await ask("search", { q: query, explain: 1, top: 20 });
  if (answer === null) return;
  hits.replaceChildren();
  answer.hits.forEach(show);
  const count = answer.hits.length;
  status.textContent = count === 0 ? "Nothing was found." : count === 1 ? "1 product" : `${count} products`;
}

function show(hit) {
  const item = element("li", "", hits);
  element("strong", hit.name, item);
  const fields = Object.entries(hit.fields).filter(([name]) => !NAMES.includes(name));
  if (fields.length) element("p", fields.map(([, value]) => value).join(" · "), item).className = "fields";
  const details = element("details", "", item);
  element("summary", "Why?", details);
  const words = hit.words.length
    ? `the words ${hit.words.join(", ")} (${hit.word_score.toFixed(2)}, number ${hit.word_rank} by words)`
    : "none of its words";
  const meaning = `meaning (cosine ${hit.cosine.toFixed(3)}, number ${hit.cosine_rank} by meaning)`;
  element("p", `Score ${hit.score.toFixed(3)}, for ${words} and its ${meaning}.`, details);
}

input.addEventListener("input", suggest);
input.addEventListener("blur", close);
showAll.addEventListener("change", () => {
  input.focus();
  suggest();
});
input.addEventListener("keydown", (event) => {
  const count = list.hidden ? 0 : list.children.length;
  if (event.key === "Escape" && count) {
    event.preventDefault();
    close();
  } else if (event.key === "ArrowDown" && !count) {
    suggest();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose(((chosen + 1 + step + count + 1) % (count + 1)) - 1);
    input.value = list.children[chosen]?.dataset.text ?? typed;
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});

input.value = new URLSearchParams(location.search).get("q") ?? "";
if (input.value) search();
input.focus();
