// Theme and elder mode: two cookies, so that the server writes the attributes and no page flashes.
(function () {
  "use strict";
  var root = document.documentElement;
  root.setAttribute("data-js", "");

  function cookie(name) {
    var found = document.cookie.match(new RegExp("(?:^|; )" + name + "=([^;]*)"));
    return found ? found[1] : "";
  }

  function keep(name, value) {
    var age = value ? 31536000 : 0;
    var secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = name + "=" + value + "; path=/; max-age=" + age + "; samesite=lax" + secure;
  }

  // Pages that the server wrote without a request (errors) learn the choice here.
  var theme = cookie("tph_theme");
  if ((theme === "light" || theme === "dark") && !root.hasAttribute("data-theme")) root.setAttribute("data-theme", theme);
  if (cookie("tph_mode") === "elder" && !root.hasAttribute("data-mode")) root.setAttribute("data-mode", "elder");

  function press(group, chosen) {
    group.querySelectorAll("button").forEach(function (button) {
      if (button === chosen) button.setAttribute("aria-pressed", "true");
      else button.removeAttribute("aria-pressed");
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-theme-choice], [data-mode-choice]");
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
    if (!button) return;
    if (button.dataset.themeChoice) {
      var choice = button.dataset.themeChoice;
      keep("tph_theme", choice === "system" ? "" : choice);
      if (choice === "system") root.removeAttribute("data-theme");
      else root.setAttribute("data-theme", choice);
      press(button.parentElement, button);
    } else {
      keep("tph_mode", button.dataset.modeChoice === "elder" ? "elder" : "");
      location.reload(); // the elder page is another page, not another paint
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
})();
