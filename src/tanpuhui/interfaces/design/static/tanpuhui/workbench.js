// The desk: "/" goes to the search, an opinion knows its length, and a decision shows only what it asks for.
(function () {
  "use strict";

  document.addEventListener("keydown", function (event) {
    var typing = event.target.closest("input, textarea, select, [contenteditable]");
    var search = document.querySelector("[data-search-key]");
    if (event.key !== "/" || typing || !search || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
  });

  function measure(form) {
    var opinion = form.querySelector("textarea");
    form.querySelector("[data-opinion-count]").textContent = String(Array.from(opinion.value.trim()).length);
  }

  document.addEventListener("input", function (event) {
    var form = event.target.closest("[data-opinion]");
    if (form) measure(form);
  });
  document.querySelectorAll("[data-opinion]").forEach(measure);

  // Without this file the values of every decision stand there under its name, and only those of the chosen one are read.
  function ask(form) {
    var chosen = form.querySelector("input[name=decision]:checked");
    form.querySelectorAll("[data-asks]").forEach(function (asks) {
      asks.hidden = !chosen || asks.dataset.asks !== chosen.value;
    });
  }

  document.addEventListener("change", function (event) {
    var form = event.target.closest("[data-opinion]");
    if (form && event.target.name === "decision") ask(form);
  });
  document.querySelectorAll("[data-opinion]").forEach(ask);
})();
