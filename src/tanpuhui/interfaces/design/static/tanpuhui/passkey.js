// Passkeys: asks the server what to ask, the device to answer, and sends the answer with its form.
// A form [data-passkey="get" | "create"] stays hidden where the browser knows no passkeys.
(function () {
  "use strict";

  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (sign) { return sign.charCodeAt(0); });
  }

  function text(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (byte) { plain += String.fromCharCode(byte); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function listed(list) {
    return (list || []).map(function (one) { return Object.assign({}, one, { id: bytes(one.id) }); });
  }

  function asked(kind, options) {
    var key = Object.assign({}, options, { challenge: bytes(options.challenge) });
    if (kind === "create") {
      key.user = Object.assign({}, options.user, { id: bytes(options.user.id) });
      key.excludeCredentials = listed(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: key });
    }
    if (options.allowCredentials) key.allowCredentials = listed(options.allowCredentials);
    return navigator.credentials.get({ publicKey: key });
  }

  function written(kind, found) {
    var response = { clientDataJSON: text(found.response.clientDataJSON) };
    if (kind === "create") {
      response.attestationObject = text(found.response.attestationObject);
    } else {
      response.authenticatorData = text(found.response.authenticatorData);
      response.signature = text(found.response.signature);
      if (found.response.userHandle) response.userHandle = text(found.response.userHandle);
    }
    return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response: response, clientExtensionResults: {} });
  }

  function say(form, words) {
    var place = form.querySelector("[data-passkey-said]");
    place.textContent = words || place.dataset.passkeySaid;
    place.hidden = false;
    form.querySelector("button[type=submit]").disabled = false;
  }

  document.addEventListener("submit", function (event) {
    var form = event.target.closest("form[data-passkey]");
    if (!form) return;
    event.preventDefault();
    var kind = form.dataset.passkey;
    form.querySelector("button[type=submit]").disabled = true;
    fetch(form.dataset.passkeyOptions, {
      method: "POST",
      headers: { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value },
    })
      .then(function (answer) {
        return answer.json().then(function (told) {
          if (!answer.ok) throw new Error(told.message);
          return asked(kind, told).catch(function () { throw new Error(""); });
        });
      })
      .then(function (found) {
        form.querySelector("[name=credential]").value = written(kind, found);
        form.submit();
      })
      .catch(function (error) { say(form, error.message); });
  });

  document.addEventListener("DOMContentLoaded", function () {
    if (!window.PublicKeyCredential) return;
    document.querySelectorAll("form[data-passkey]").forEach(function (form) { form.hidden = false; });
  });
})();
