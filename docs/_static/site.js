"use strict";

// Regions have names, and what scrolls sideways can be scrolled by keyboard, too.
addEventListener("load", () => {
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "Pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
  for (const box of document.querySelectorAll("pre, table.docutils, .table-wrapper, p:has(> img, > svg)")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
