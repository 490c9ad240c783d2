"""Three other sign-ins on the loopback, as strict as the real ones: OpenID Connect, WeChat, a government ticket.

Tests run the true adapters against them. `python -m tests.fakes.sign_in_providers var/federation.yaml` serves them for a
demonstration: it writes the file that TANPUHUI_FEDERATION names, and lets a visitor choose who they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

SECRET = "a-secret-of-the-fake"
CLIENT = "tanpuhui"
PORT = 8199
POLL_SECONDS = 0.02
PEOPLE = (
    {"subject": "1001", "name": "杜若", "phone": "19900000001", "level": "L3"},
    {"subject": "1002", "name": "白芷", "phone": "19900000002", "level": "L2"},
    {"subject": "1003", "name": "苏叶", "phone": "", "level": "L1"},
)
TICKET_NAMES = {
    "name_app_id": "yingyong", "name_app_secret": "miyao", "name_signature": "qianming", "name_return": "huidiao",
    "name_ticket": "piaoju", "name_token": "lingpai", "name_result": "jieguo", "result_good": "0000",
    "name_data": "shuju", "name_subject": "bianhao", "name_account_kind": "leixing", "account_kind_person": "ziranren",
    "name_level": "dengji", "name_phone": "shouji",
}  # fmt: skip
"""Invented on purpose: nobody knows the real names before onboarding."""


@dataclass(kw_only=True)
class Providers:
    """The three, and what they do wrong where a test asks for it. `person` is who signs in where nobody can choose."""

    url: str = ""
    person: int = 0
    ask: bool = False
    faults: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "fake-1"}))
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    """Codes, tickets and tokens that were given out and not used yet."""

    def configuration(self) -> dict[str, Any]:
        """Return what the operator's file says of them."""
        oidc = {
            "key": "oidc", "adapter": "oidc", "label_zh": "单点登录（演示）", "label_en": "Single sign-on (demo)",
            "issuer": f"{self.url}/oidc", "client_id": CLIENT, "client_secret": SECRET, "level_claim": "real_name_level",
        }  # fmt: skip
        wechat = {
            "key": "wechat", "adapter": "wechat", "label_zh": "微信（演示）", "label_en": "WeChat (demo)",
            "app_id": CLIENT, "app_secret": SECRET, "page": f"{self.url}/wechat/authorize",
            "token_address": f"{self.url}/wechat/token",
        }  # fmt: skip
        ticket = {
            "key": "gov", "adapter": "ticket", "label_zh": "政务登录（演示）", "label_en": "Government sign-in (demo)",
            "issuer": f"{self.url}/gov", "app_id": CLIENT, "app_secret": SECRET, "page": f"{self.url}/gov/login",
            "signature_address": f"{self.url}/gov/signature", "token_address": f"{self.url}/gov/token",
            "user_address": f"{self.url}/gov/user", **TICKET_NAMES,
        }  # fmt: skip
        return {"ways": [oidc, wechat, ticket]}

    def give(self, kind: str, **kept: str) -> str:
        """Give a code, ticket or token out; it serves once."""
        token = f"{kind}-{secrets.token_urlsafe(16)}"
        self.given[token] = kept
        return token

    def take(self, token: str) -> dict[str, str] | None:
        """Return what belongs to a code, and use it up."""
        return self.given.pop(token, None)

    def id_token(self, kept: dict[str, str]) -> str:
        """Sign who somebody is, or what a test wants to see refused."""
        person, now = PEOPLE[int(kept["person"])], int(time.time())
        if "old" in self.faults:
            now -= 3600
        claims: dict[str, Any] = {
            "iss": f"{self.url}/oidc" if "issuer" not in self.faults else "https://elsewhere.example",
            "aud": CLIENT if "audience" not in self.faults else "somebody-else",
            "sub": person["subject"],
            "iat": now,
            "exp": now + 300,
            "nonce": kept["nonce"] if "nonce" not in self.faults else "another",
            "real_name_level": person["level"],
            "phone_number": person["phone"],
            "phone_number_verified": "unverified" not in self.faults,
        }
        if "azp" in self.faults:
            claims |= {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"}
        if "nobody" in self.faults:
            del claims["sub"]
        if "shared" in self.faults:
            return jwt.encode(
                {"alg": "HS256", "kid": "fake-1"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"]
            )
        key = ECKey.generate_key("P-256", {"kid": "fake-1"}) if "signature" in self.faults else self.key
        token = jwt.encode({"alg": "ES256", "kid": "fake-1"}, claims, key)
        if "unsigned" in self.faults:
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            return f"{head}.{token.split('.')[1]}."
        return token


class Handler(BaseHTTPRequestHandler):
    """Answers for all three."""

    providers: Providers

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self._serve(dict(urllib.parse.parse_qsl(self.rfile.read(length).decode())))

    def log_message(self, *_: Any) -> None:
        """Say nothing: tests read `calls`."""

    def _serve(self, form: dict[str, str]) -> None:
        parts = urllib.parse.urlsplit(self.path)
        self.providers.calls.append(f"{self.command} {parts.path}")
        given = {**dict(urllib.parse.parse_qsl(parts.query)), **form}
        routes: dict[str, Callable[[dict[str, str]], None]] = {
            "/oidc/.well-known/openid-configuration": self._discovery,
            "/oidc/authorize": self._oidc_page,
            "/oidc/token": self._oidc_token,
            "/oidc/keys": self._oidc_keys,
            "/wechat/authorize": self._wechat_page,
            "/wechat/token": self._wechat_token,
            "/gov/signature": self._gov_signature,
            "/gov/login": self._gov_page,
            "/gov/token": self._gov_token,
            "/gov/user": self._gov_user,
        }
        route = routes.get(parts.path)
        if "down" in self.providers.faults:
            self._json({"error": "down"}, status=503)
        elif "nonsense" in self.providers.faults:
            self._send(b"<html>not json</html>", "text/html")
        elif "huge" in self.providers.faults:
            self._send(b'{"x": "' + b"x" * 300_000 + b'"}', "application/json")
        elif "elsewhere" in self.providers.faults and self.command == "POST":
            self._redirect("https://elsewhere.example/")
        elif route is None:
            self._json({"error": "no such address"}, status=404)
        else:
            route(given)

    def _discovery(self, _: dict[str, str]) -> None:
        base = f"{self.providers.url}/oidc"
        self._json(
            {
                "issuer": base if "discovery" not in self.providers.faults else "https://elsewhere.example",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys",
            }
        )

    def _oidc_keys(self, _: dict[str, str]) -> None:
        self._json(KeySet([self.providers.key]).as_dict(private=False))  # type: ignore[arg-type]

    def _oidc_page(self, asked: dict[str, str]) -> None:
        good = asked.get("response_type") == "code" and asked.get("code_challenge_method") == "S256"
        if not good or asked.get("client_id") != CLIENT:
            self._json({"error": "invalid_request"}, status=400)
            return
        if "declined" in self.providers.faults:
            self._back(asked["redirect_uri"], error="access_denied", state=asked["state"])
            return
        person = self._chosen(asked)
        if person is not None:
            code = self.providers.give(
                "code", person=person, nonce=asked["nonce"], challenge=asked["code_challenge"], back=asked["redirect_uri"]
            )  # fmt: skip
            self._back(
                asked["redirect_uri"], code=code, state=asked["state"], iss=f"{self.providers.url}/oidc"
            )

    def _oidc_token(self, form: dict[str, str]) -> None:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        kept = self.providers.take(form.get("code", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.headers.get("Authorization") != f"Basic {basic}":
            self._json({"error": "invalid_client"}, status=401)
        elif kept is None or kept["challenge"] != challenge or kept["back"] != form.get("redirect_uri"):
            self._json({"error": "invalid_grant"}, status=400)
        else:
            self._json(
                {"access_token": "unused", "token_type": "Bearer", "id_token": self.providers.id_token(kept)}
            )

    def _wechat_page(self, asked: dict[str, str]) -> None:
        person = self._chosen(asked)
        if person is not None:
            code = self.providers.give("code", person=person)
            self._back(asked["redirect_uri"], code=code, state=asked["state"])

    def _wechat_token(self, asked: dict[str, str]) -> None:
        kept = self.providers.take(asked.get("code", ""))
        if (asked.get("appid"), asked.get("secret")) != (CLIENT, SECRET):
            self._json({"errcode": 40125, "errmsg": "invalid appsecret"})
        elif kept is None:
            self._json({"errcode": 40163, "errmsg": "code been used"})
        else:
            subject = PEOPLE[int(kept["person"])]["subject"]
            told = {"access_token": "unused", "openid": f"open-{subject}", "scope": "snsapi_base"}
            if "no_unionid" not in self.providers.faults:
                told["unionid"] = f"union-{subject}"
            self._json(told)

    def _gov_signature(self, form: dict[str, str]) -> None:
        if (form.get("yingyong"), form.get("miyao")) != (CLIENT, SECRET):
            self._json({"jieguo": "4001"})
        else:
            self._json({"jieguo": "0000", "shuju": {"qianming": self.providers.give("signature")}})

    def _gov_page(self, asked: dict[str, str]) -> None:
        if asked.get("qianming", "") not in self.providers.given:
            self._json({"jieguo": "4002"}, status=400)
            return
        person = self._chosen(asked)
        if person is not None:
            self._back(asked["huidiao"], piaoju=self.providers.give("ticket", person=person))

    def _gov_token(self, form: dict[str, str]) -> None:
        signed = self.providers.take(form.get("qianming", ""))
        kept = self.providers.take(form.get("piaoju", ""))
        if signed is None or kept is None:
            self._json({"jieguo": "4003"})
        else:
            self._json({"jieguo": "0000", "shuju": {"lingpai": self.providers.give("token", **kept)}})

    def _gov_user(self, form: dict[str, str]) -> None:
        kept = self.providers.take(form.get("lingpai", ""))
        if kept is None:
            self._json({"jieguo": "4004"})
            return
        person = PEOPLE[int(kept["person"])]
        kind = "faren" if "company" in self.providers.faults else "ziranren"
        user = {
            "bianhao": person["subject"],
            "leixing": kind,
            "dengji": person["level"],
            "shouji": person["phone"],
        }
        if "nobody" in self.providers.faults:
            del user["bianhao"]
        self._json({"jieguo": "0000", "shuju": user})

    def _chosen(self, asked: dict[str, str]) -> str | None:
        """Return who signs in; in a demonstration show a page to choose first."""
        if not self.providers.ask:
            return str(self.providers.person)
        if "person" in asked:
            return asked["person"]
        rows = "".join(
            f'<li><a href="?{urllib.parse.urlencode({**asked, "person": str(number)})}">{person["name"]}</a></li>'
            for number, person in enumerate(PEOPLE)
        )
        page = f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>演示登录</title><h1>演示：您是谁？</h1><ul>{rows}</ul></html>'
        self._send(page.encode(), "text/html; charset=utf-8")
        return None

    def _back(self, address: str, **query: str) -> None:
        join = "&" if urllib.parse.urlsplit(address).query else "?"
        self._redirect(f"{address}{join}{urllib.parse.urlencode(query)}")

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, told: Any, *, status: int = 200) -> None:
        self._send(json.dumps(told).encode(), "application/json", status=status)

    def _send(self, body: bytes, kind: str, *, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(providers: Providers, *, port: int = 0) -> Iterator[Providers]:
    """Serve them on the loopback while the block runs."""
    handler = type("OwnHandler", (Handler,), {"providers": providers})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    providers.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield providers
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def write_configuration(providers: Providers, path: Path) -> None:
    """Write the file that TANPUHUI_FEDERATION names, readable by its owner only."""
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(providers.configuration(), allow_unicode=True), "utf-8")


def main() -> None:
    """Serve for a demonstration until Ctrl-C."""
    path = Path(sys.argv[1])
    with serving(Providers(ask=True), port=PORT) as providers:
        write_configuration(providers, path)
        sys.stdout.write(f"TANPUHUI_FEDERATION={path.resolve()} make demo\n")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
