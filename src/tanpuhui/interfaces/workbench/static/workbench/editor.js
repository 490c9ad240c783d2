// The editor of a draft: line numbers beside the text, a way from a fault to its place, and a word on what is unsaved.
(function () {
  "use strict";

  var form = document.querySelector("[data-editor]");
  if (!form) return;
  var text = form.querySelector("textarea");
  var numbers = form.querySelector("[data-numbers]");
  var unsaved = form.querySelector("[data-unsaved]");
  var saved = text.value;
  var sending = false;

  function number() {
    var count = text.value.split("\n").length;
    var lines = [];
    for (var line = 1; line <= count; line += 1) lines.push(line);
    numbers.textContent = lines.join("\n");
    numbers.scrollTop = text.scrollTop;
  }

  function go(line, column) {
    var lines = text.value.split("\n");
    var at = 0;
    for (var index = 0; index < line - 1 && index < lines.length; index += 1) at += lines[index].length + 1;
    at = Math.min(at + column - 1, text.value.length);
    text.focus();
    text.setSelectionRange(at, at);
    var height = parseFloat(getComputedStyle(text).lineHeight);
    text.scrollTop = Math.max(0, (line - 4) * height);
  }

  text.addEventListener("scroll", function () { numbers.scrollTop = text.scrollTop; });
  text.addEventListener("input", function () {
    number();
    if (unsaved) unsaved.hidden = text.value === saved;
  });
  form.addEventListener("submit", function () { sending = true; });
  document.addEventListener("click", function (event) {
    var place = event.target.closest("[data-line]");
    if (place) go(Number(place.dataset.line), Number(place.dataset.column));
  });
  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "s" && !text.readOnly) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  window.addEventListener("beforeunload", function (event) {
    if (!sending && text.value !== saved) event.preventDefault();
  });
  number();
})();
