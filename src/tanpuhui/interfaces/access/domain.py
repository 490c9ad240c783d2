"""Who may open which address, and which answer a refusal meets. Pure tables and one look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tanpuhui.foundation.kernel.actors import Actor, Role


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
    "NOT_PERMITTED": 403,
    "NOT_FOUND": 404,
    "INVALID": 422,
    "BUSY": 503,
    "IDEMPOTENCY_CONFLICT": 409,
}
DEFAULT_STATUS = 409
"""A refusal by a rule of the scheme: the request was understood and the state of things does not allow it."""


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal's code."""
    return STATUS_OF_REFUSAL.get(code, DEFAULT_STATUS)
