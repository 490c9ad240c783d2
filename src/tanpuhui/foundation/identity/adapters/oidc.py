"""OpenID Connect: discovery, authorisation code with PKCE, nonce, and an ID token whose signature is checked.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer). Settings: issuer,
client_id, client_secret; optional scope, level_claim (the claim that says how well the person was checked). Tokens and
keys are read by `joserfc`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import urllib.parse
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tanpuhui.foundation.identity.adapters.outward import get_json, post_form, safe_address, untrusted
from tanpuhui.foundation.identity.adapters.settled import settled
from tanpuhui.foundation.identity.domain.federation import CameBack, FederationDeclined, VerifiedIdentity

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Only signatures by a private key: with `none` or a shared secret anybody who knows the client could sign."""
LEEWAY_SECONDS = 60
VERIFIER_BYTES = 64


class OpenIdConnect:
    """One OpenID provider."""

    def __init__(self, way: str, told: Mapping[str, str]) -> None:
        self._way = way
        self._set = settled(
            way,
            told,
            wanted=("issuer", "client_id", "client_secret"),
            optional={"scope": "openid phone", "level_claim": ""},
        )

    def begin(self, *, state: str, return_address: str) -> tuple[str, Mapping[str, str]]:
        """Return the provider's page, and nonce and verifier to keep."""
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(VERIFIER_BYTES)
        asked = {
            "response_type": "code",
            "client_id": self._set["client_id"],
            "redirect_uri": return_address,
            "scope": self._set["scope"],
            "state": state,
            "nonce": nonce,
            "code_challenge": _unpadded(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        page = safe_address(str(self._provider()["authorization_endpoint"]))
        join = "&" if urllib.parse.urlsplit(page).query else "?"
        return f"{page}{join}{urllib.parse.urlencode(asked)}", {"nonce": nonce, "verifier": verifier}

    def complete(self, back: CameBack) -> VerifiedIdentity:
        """Exchange the code and verify the ID token. Raises FederationDeclined, -Untrusted, -Unreachable."""
        if back.brought.get("iss", self._set["issuer"]) != self._set["issuer"]:
            raise untrusted("the answer names another issuer")
        if "code" not in back.brought:
            raise FederationDeclined(why=back.brought.get("error", "no code")[:60])
        provider = self._provider()
        told = post_form(
            str(provider["token_endpoint"]),
            {
                "grant_type": "authorization_code",
                "code": back.brought["code"],
                "redirect_uri": back.return_address,
                "code_verifier": back.kept["verifier"],
            },
            headers={"Authorization": f"Basic {self._credentials()}", "Accept": "application/json"},
        )
        if "id_token" not in told:
            raise FederationDeclined(why=str(told.get("error", "no id_token"))[:60])
        claims = self._claims(str(told["id_token"]), provider, now=back.now)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), back.kept["nonce"].encode()):
            raise untrusted("the token answers another question (nonce)")
        vouched = claims.get("phone_number_verified") is True
        return VerifiedIdentity(
            way=self._way,
            issuer=self._set["issuer"],
            subject=str(claims["sub"]),
            real_name_level=str(claims.get(self._set["level_claim"], "")) if self._set["level_claim"] else "",
            phone=str(claims.get("phone_number", "")) if vouched else "",
        )

    def _provider(self) -> dict[str, Any]:
        """Return the provider's own description; it must speak of itself."""
        found = get_json(self._set["issuer"].rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self._set["issuer"]:
            raise untrusted("the discovery document names another issuer")
        if not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= found.keys():
            raise untrusted("the discovery document lacks an endpoint")
        return found

    def _claims(self, token: str, provider: Mapping[str, Any], *, now: int) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._set["issuer"]},
            aud={"essential": True, "value": self._set["client_id"]},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            keys = KeySet.import_key_set(get_json(str(provider["jwks_uri"])))  # type: ignore[arg-type]
            claims: dict[str, Any] = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            registry.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise untrusted(f"ID token: {type(error).__name__}: {error}") from error
        audience = claims["aud"]
        # Core 1.0 section 3.1.3.7: a token for several parties must name us as the one it was issued to.
        several = (isinstance(audience, list) and len(audience) > 1) or "azp" in claims
        if several and claims.get("azp") != self._set["client_id"]:
            raise untrusted("the token was issued to somebody else (azp)")
        if not str(claims["sub"]):
            raise untrusted("the token names nobody")
        return claims

    def _credentials(self) -> str:
        """Return name and secret as RFC 6749 section 2.3.1 wants them: form-encoded, then base64."""
        pair = ":".join(
            urllib.parse.quote(self._set[name], safe="") for name in ("client_id", "client_secret")
        )
        return base64.b64encode(pair.encode()).decode()


def _unpadded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
