// The seconds of a coupon code: ticks go out one by one; at zero the ticket asks for a new code.
(function () {
  "use strict";

  function ticks(count, lit) {
    var path = "";
    for (var index = 0; index <= count && index <= lit; index += 1) {
      path += "M" + (2 + (252 * index) / count).toFixed(1) + " 0V" + (index % 10 === 0 ? 10 : 6);
    }
    return lit > 0 ? path : "";
  }

  function start(ticket) {
    if (ticket.dataset.running) return;
    ticket.dataset.running = "yes";
    var total = Number(ticket.dataset.countdownTotal) || 60;
    var count = Number(ticket.dataset.ticks) || 60;
    var end = Date.now() + Number(ticket.dataset.countdown) * 1000;
    var number = ticket.querySelector("[data-countdown-number]");
    var drawn = ticket.querySelector("[data-countdown-ticks]");
    var timer = setInterval(function () {
      if (!document.contains(ticket)) return clearInterval(timer);
      var left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      number.textContent = String(left);
      drawn.setAttribute("d", ticks(count, Math.round((count * left) / total)));
      if (left === 0) {
        clearInterval(timer);
        ticket.dispatchEvent(new CustomEvent("coupon:expired", { bubbles: true }));
      }
    }, 1000);
  }

  function all() {
    document.querySelectorAll("[data-countdown]").forEach(start);
  }

  all();
  document.addEventListener("htmx:afterSettle", all);
})();
