"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const size = data.tokens[0].length;
let [layer, head, query] = data.chosen;
let weights; // hundredths: text, layer, head, token that looks, token that is looked at

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const minus = document.getElementById("minus");
const heads = all(".heads button").map((button, place) => (
  { button, l: Math.floor(place / data.heads), h: place % data.heads }));
const canSee = (from, to) => !data.causal || to <= from;

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function weight(text, l, h, from, to) {
  return weights[(((text * data.layers + l) * data.heads + h) * size + from) * size + to];
}

function column(text, l, h, to) {
  const seen = [...Array(size).keys()].filter(from => canSee(from, to));
  return { total: seen.reduce((sum, from) => sum + weight(text, l, h, from, to), 0), count: seen.length };
}

function others(text, l, h, from, to) {
  const { total, count } = column(text, l, h, to);
  return count > 1 ? (total - weight(text, l, h, from, to)) / (count - 1) : 0;
}

function best(l, h) {
  const keys = data.keys.filter(to => to !== query && canSee(query, to));
  const above = keys.map(to => weight(0, l, h, query, to) - others(0, l, h, query, to));
  const most = Math.max(...above);
  return { key: keys[above.indexOf(most)], above: most };
}

function paint(cell, hundredths) {
  const step = Math.round(Math.abs(hundredths) / 10);
  cell.className = `${hundredths < 0 && step ? "n" : "c"}${step}`;
}

function showMap(table, text) {
  table.caption.textContent = table.caption.textContent.replace(/\d+, head \d+/, `${layer}, head ${head}`);
  all("tbody tr", table).forEach((row, from) => {
    row.classList.toggle("chosen", from === query);
    all("td", row).forEach((cell, to) => {
      if (!canSee(from, to)) return;
      const value = weight(text, layer, head, from, to) - (minus.checked ? others(text, layer, head, from, to) : 0);
      cell.textContent = Math.round(value);
      paint(cell, value);
    });
  });
  all("tfoot td", table).forEach((cell, to) => {
    const { total, count } = column(text, layer, head, to);
    cell.textContent = Math.round(total / count);
    paint(cell, total / count);
  });
}

function showWords(strip, text) {
  all("button", strip).forEach((word, place) => {
    paint(word, canSee(query, place) ? weight(text, layer, head, query, place) : 0);
    word.setAttribute("aria-pressed", place === query);
  });
}

function showHeads() {
  for (const { button, l, h } of heads) {
    const { key, above } = best(l, h);
    const isChosen = l === layer && h === head;
    button.textContent = key === undefined ? "" : Math.round(above);
    if (key !== undefined) paint(button, above);
    const looks = key === undefined ? "" : `: ${Math.round(above)} above the others at ${data.tokens[0][key]}`;
    button.setAttribute("aria-label", `layer ${l}, head ${h}${looks}`);
    button.setAttribute("aria-pressed", isChosen);
    button.tabIndex = isChosen ? 0 : -1;
  }
}

function showRanking() {
  const rows = data.looks[query].map(([l, h, key, ...numbers]) => {
    const row = document.createElement("tr"), name = document.createElement("th");
    name.scope = "row";
    name.textContent = l;
    row.append(name);
    for (const cell of [h, data.tokens[0][query], data.tokens[0][key], ...numbers]) {
      const td = document.createElement("td");
      td.textContent = numbers.includes(cell) ? cell.toFixed(1) : cell;
      if (typeof cell === "number") td.className = "number";
      row.append(td);
    }
    return row;
  });
  document.querySelector("#ranking tbody").replaceChildren(...rows);
}

function sentence() {
  const { key } = best(layer, head), [first, second] = data.tokens, name = data.tokens[0][query];
  if (key === undefined) return `In layer ${layer}, head ${head}, “${name}” sees no other token.`;
  const said = text => {
    const mean = Math.round(others(text, layer, head, query, key));
    return `${weight(text, layer, head, query, key)} %, the others ${mean} %`;
  };
  const start = `In layer ${layer}, head ${head}, “${name}” gives “${first[key]}” ${said(0)} on average.`;
  const changed = second ? second.filter((token, place) => token !== first[place]).join(" ") : "";
  return second ? `${start} With “${changed}”: ${said(1)}.` : start;
}

function show() {
  all(".map").forEach(showMap);
  all(".words").forEach(showWords);
  showHeads();
}

function choose(change) {
  change();
  show();
  document.getElementById("finding").textContent = sentence();
}

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function move(event) {
  const arrow = ARROWS[event.key];
  if (!arrow) return;
  event.preventDefault();
  choose(() => {
    layer = (layer + arrow[0] + data.layers) % data.layers;
    head = (head + arrow[1] + data.heads) % data.heads;
  });
  heads[layer * data.heads + head].button.focus();
}

async function start() {
  weights = await inflate(data.weights);
  minus.addEventListener("change", show);
  for (const { button, l, h } of heads) {
    button.addEventListener("click", () => choose(() => { [layer, head] = [l, h]; }));
    button.addEventListener("keydown", move);
  }
  for (const strip of all(".words")) {
    all("button", strip).forEach((word, place) => word.addEventListener("click", () => {
      choose(() => { query = place; });
      showRanking();
    }));
  }
  show();
}

start();
