// Upload with a bar. Without this file the same form is sent by the browser.
(function () {
  "use strict";

  function size(bytes) {
    if (bytes < 1000) return bytes + " B";
    if (bytes < 1000000) return (bytes / 1000).toFixed(1) + " kB";
    return (bytes / 1000000).toFixed(1) + " MB";
  }

  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-upload-file]")) return;
    var file = event.target.files[0];
    event.target.closest("form").querySelector("[data-upload-name]").textContent = file ? file.name + "  " + size(file.size) : "";
  });

  function show(form, answer) {
    var page = new DOMParser().parseFromString(answer, "text/html");
    var fresh = page.querySelector("main");
    var now = document.querySelector("main");
    if (fresh && now) now.replaceWith(fresh);
    else failed(form);
  }

  function failed(form) {
    form.querySelector("[data-upload-failed]").hidden = false;
    form.querySelector("[data-upload-progress]").hidden = true;
    form.querySelector("button[type=submit]").disabled = false;
  }

  document.addEventListener("submit", function (event) {
    var form = event.target.closest("[data-upload]");
    if (!form || !window.XMLHttpRequest || !window.FormData) return;
    event.preventDefault();
    var request = new XMLHttpRequest();
    var bar = form.querySelector("progress");
    var percent = form.querySelector("[data-upload-percent]");
    form.querySelector("[data-upload-progress]").hidden = false;
    form.querySelector("[data-upload-failed]").hidden = true;
    form.querySelector("button[type=submit]").disabled = true;
    request.upload.addEventListener("progress", function (progress) {
      if (!progress.lengthComputable) return;
      var done = Math.floor((100 * progress.loaded) / progress.total);
      bar.value = done;
      percent.textContent = String(done);
    });
    request.addEventListener("load", function () {
      var asked = new URL(form.action, location.href).href;
      if (request.status >= 500) failed(form);
      else if (request.responseURL && request.responseURL !== asked) location.assign(request.responseURL);
      else show(form, request.responseText);
    });
    request.addEventListener("error", function () { failed(form); });
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
})();
