"use strict";

// A drawing can be saved as an image: the browser draws it, in the page's colours and twice as large.
for (const figure of document.querySelectorAll("figure")) {
  const button = document.createElement("button");
  button.textContent = "Save as PNG";
  button.className = "c0";
  button.addEventListener("click", () => save(figure.querySelector("svg")));
  figure.append(button);
}

async function save(drawing) {
  const copy = drawing.cloneNode(true), labels = drawing.querySelectorAll(".label");
  copy.querySelectorAll(".label").forEach((label, i) => label.setAttribute("fill", getComputedStyle(labels[i]).fill));
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const link = document.createElement("a");
  [link.href, link.download] = [canvas.toDataURL(), `${document.title}.png`];
  link.click();
}
