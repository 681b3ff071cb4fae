"use strict";

const { texts, neighbours } = JSON.parse(document.getElementById("data").textContent);
const points = [...document.querySelectorAll(".point")];
const search = document.getElementById("search");

function mark(place, name) {
  points[place].classList.add(name);
}

function choose(place) {
  for (const point of points) point.classList.remove("chosen", "near");
  mark(place, "chosen");
  const items = neighbours[place].map(near => {
    mark(near, "near");
    const item = document.createElement("li"), button = document.createElement("button");
    button.textContent = texts[near];
    button.addEventListener("click", () => choose(near));
    item.append(button);
    return item;
  });
  document.getElementById("chosen").textContent = `Nearest to “${texts[place]}”, by the whole embeddings:`;
  document.getElementById("nearest").replaceChildren(...items);
}

points.forEach((point, place) => point.addEventListener("click", () => choose(place)));

search.addEventListener("input", () => {
  const typed = search.value.trim().toLowerCase();
  const exact = texts.findIndex(text => text.toLowerCase() === typed);
  const place = exact >= 0 ? exact : texts.findIndex(text => typed && text.toLowerCase().includes(typed));
  if (place >= 0) choose(place);
});
