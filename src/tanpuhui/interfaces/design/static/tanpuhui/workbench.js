// The desk: "/" goes to the search, and an opinion knows its length.
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
})();
