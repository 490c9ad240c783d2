"""Who acts (操作者): by kind and identifier only, so that the audit can lie below identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import NotPermitted

CLOSED_NAME = "已注销"
"""What stands where the name of a person stood who closed their account (账户注销)."""


class Role(StrEnum):
    """What a person may be in one organisation and area. Operations name the roles that may call them."""

    CITIZEN = "citizen"
    PARTNER = "partner"
    MERCHANT = "merchant"
    OWNER = "owner"
    BUYER = "buyer"
    VERIFIER = "verifier"
    EXPERT = "expert"
    MAKER = "maker"
    CHECKER = "checker"
    SUBCENTRE = "subcentre"
    REGULATOR = "regulator"
    ADMINISTRATOR = "administrator"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator"
    SYSTEM = "system"


SCHEME_ADMINISTRATORS = frozenset(
    {Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR}
)
"""The three administrators (三员) after GB/T 22239-2019: three persons of the centre who hold no other role at all.

The system administrator keeps organisations, people, parameters and holidays; the security administrator gives and ends
roles; the audit administrator reads what both did. `Role.ADMINISTRATOR` (机构管理员) is something else: it looks after
the people and keys of one outside organisation.
"""


def area_covers(outer: str, inner: str) -> bool:
    """Say whether a GB/T 2260 code (six digits) lies inside another: 370000 covers 370102; a county covers itself."""
    prefix = outer
    while prefix.endswith("00"):
        prefix = prefix[:-2]
    return inner.startswith(prefix)


def areas_over(inner: str) -> tuple[str, ...]:
    """Return the codes of every area that covers this one, itself included (`area_covers`, for look-ups by equality)."""
    return tuple(dict.fromkeys((inner, inner[:4] + "00", inner[:2] + "0000", "000000")))


@dataclass(frozen=True, slots=True)
class Grant:
    """One role held for one organisation in one area (GB/T 2260 code).

    `on_behalf_of` is the identifier of the person who delegated it (授权代办), empty where it is the actor's own.
    """

    role: Role
    organisation_id: int | None = None
    area: str = ""
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts. `kind` is user, partner or system; `id` is its identifier as text."""

    kind: str
    id: str
    grants: tuple[Grant, ...] = ()

    @property
    def roles(self) -> frozenset[Role]:
        """Return every role held, whatever the organisation or area."""
        return frozenset(grant.role for grant in self.grants)

    def has(self, *roles: Role, organisation_id: int | None = None, area: str | None = None) -> bool:
        """Say whether one grant has one of the roles, for the organisation and over the area where given."""
        return any(
            grant.role in roles
            and (organisation_id is None or grant.organisation_id == organisation_id)
            and (area is None or area_covers(grant.area, area))
            for grant in self.grants
        )

    def require(
        self, *roles: Role, operation: str, organisation_id: int | None = None, area: str | None = None
    ) -> None:
        """Refuse unless `has` says yes. The system acts for everybody and passes.

        Raises NotPermitted.
        """
        if Role.SYSTEM in self.roles:
            return
        if not self.has(*roles, organisation_id=organisation_id, area=area):
            raise NotPermitted(operation=operation)

    def organisation_ids(self, *roles: Role) -> tuple[int, ...]:
        """Return the organisations for which one of the roles is held, in ascending order."""
        return tuple(
            sorted(
                {g.organisation_id for g in self.grants if g.role in roles and g.organisation_id is not None}
            )
        )


SYSTEM = Actor(kind="system", id="worker", grants=(Grant(role=Role.SYSTEM),))
"""The worker: it acts by rule, at a time given by the caller, and is named in the audit like anybody else."""
