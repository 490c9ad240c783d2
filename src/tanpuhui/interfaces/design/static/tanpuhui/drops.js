// A collected drop falls once, then the number counts up once. Elder mode and reduced motion: nothing moves.
(function () {
  "use strict";
  var KEY = "tph_total";

  function milliseconds(name) {
    return parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name)) || 0;
  }

  function digits(element) {
    return Number(element.textContent.replace(/[^0-9]/g, ""));
  }

  function countUp(element, from, to, time) {
    var began = performance.now();
    function frame(now) {
      var share = Math.min(1, (now - began) / time);
      element.textContent = Math.round(from + (to - from) * share).toLocaleString("en-US");
      if (share < 1) requestAnimationFrame(frame);
    }
    requestAnimationFrame(frame);
  }

  var total = document.querySelector("[data-total]");
  if (total) {
    try {
      var before = sessionStorage.getItem(KEY);
      sessionStorage.removeItem(KEY);
      var time = milliseconds("--m-base");
      if (before !== null && time > 0 && Number(before) < digits(total)) countUp(total, Number(before), digits(total), time);
    } catch (error) {
      // Storage is closed: the number simply stands there.
    }
  }

  document.addEventListener("submit", function (event) {
    var form = event.target.closest("[data-collect]");
    if (!form || form.dataset.sent) {
      if (form) event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    try {
      if (total) sessionStorage.setItem(KEY, String(digits(total)));
    } catch (error) {
      // Storage is closed: no counting up.
    }
    var time = milliseconds("--m-drop");
    var drops = document.querySelectorAll("[data-drop]");
    if (!time || !drops.length) return;
    event.preventDefault();
    drops.forEach(function (drop) { drop.classList.add("falling"); });
    setTimeout(function () { form.submit(); }, time);
  });

  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-collect]").forEach(function (form) { delete form.dataset.sent; });
    document.querySelectorAll(".falling").forEach(function (drop) { drop.classList.remove("falling"); });
  });
})();
