"""Who may open which address, and which answer a refusal meets. Pure tables and one look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal

API_PREFIX = "/api/"
"""Addresses below it are for programs: they call with a key, and every answer is JSON."""


def is_for_programs(path: str) -> bool:
    """Say whether an address belongs to the API, whose answers are JSON and where no session counts."""
    return path.startswith(API_PREFIX)


class NotSignedIn(Refusal):
    """The address is for those who say who they are."""

    code = "NOT_SIGNED_IN"
    zh = "这个地址需要接口密钥。请在 Authorization 请求头中写 Bearer 和密钥。"
    en = "This address needs an API key. Send it in the Authorization header, after the word Bearer."


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Who may open an address: everybody, anybody signed in, or the roles named."""

    public: bool = False
    roles: frozenset[Role] = frozenset()

    def allows(self, actor: Actor | None) -> bool:
        """Say whether the actor (None: nobody signed in) may open it."""
        if self.public:
            return True
        if actor is None:
            return False
        return not self.roles or bool(self.roles & actor.roles)


PUBLIC = RouteRule(public=True)
SIGNED_IN = RouteRule()


def only(*roles: Role) -> RouteRule:
    """Return the rule that lets these roles in."""
    return RouteRule(roles=frozenset(roles))


STATUS_OF_REFUSAL: Mapping[str, int] = {
    "NOT_SIGNED_IN": 401,
    "API_KEY_UNKNOWN": 401,
    "SIGNATURE_INVALID": 401,
    "SIGNATURE_KEY_UNKNOWN": 401,
    "SIGNATURE_STALE": 401,
    "SIGNATURE_REPLAYED": 401,
    "SIGNATURE_NEEDED": 401,
    "CONTENT_DIGEST_WRONG": 422,
    "STORAGE_FULL": 507,
    "PUSH_TOO_LARGE": 413,
    "TOO_MANY_RECORDS": 413,
    "NO_RECORDS": 422,
    "RECORD_NOT_PUSHED": 404,
    "NOT_PERMITTED": 403,
    "DELEGATION_OVER": 403,
    "NOT_FOUND": 404,
    "BATCH_NOT_FOUND": 404,
    "INVALID": 422,
    "CURSOR_INVALID": 422,
    "PASSWORD_TOO_SHORT": 422,
    "PASSWORD_TOO_PLAIN": 422,
    "PASSWORD_COMMON": 422,
    "PASSWORD_REUSED": 422,
    "PASSWORDS_DIFFER": 422,
    "SIGN_IN_NOT_FRESH": 403,
    "SERIAL_MALFORMED": 422,
    "FILE_TOO_LARGE": 413,
    "BUSY": 503,
    "QUOTA_EXCEEDED": 429,
    "IDEMPOTENCY_CONFLICT": 409,
}
DEFAULT_STATUS = 409
"""A refusal by a rule of the scheme: the request was understood and the state of things does not allow it."""


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal's code."""
    if code.endswith("NOT_FOUND"):
        # Every room names what it did not find (RECORD_NOT_FOUND, BATCH_NOT_FOUND); HTTP has one word for all.
        return STATUS_OF_REFUSAL["NOT_FOUND"]
    return STATUS_OF_REFUSAL.get(code, DEFAULT_STATUS)
