"""Reads of other sign-ins: which are set up, and which identities somebody has bound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.identity.adapters.federation import Way, way_of, ways
from tanpuhui.foundation.identity.domain.federation import VerifiedIdentity
from tanpuhui.foundation.identity.models import ExternalIdentity
from tanpuhui.foundation.keys.queries import blind_index

__all__ = ["ExternalIdentityView", "Way", "external_identities", "external_index", "way_of", "ways"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentityView:
    """A binding as its person sees it; of the other place's number nothing is kept that could be shown."""

    id: int
    way: str
    real_name_level: str
    bound_at: datetime
    last_used_at: datetime | None


def external_identities(user_id: int) -> tuple[ExternalIdentityView, ...]:
    """Return the identities that somebody has bound, oldest first."""
    return tuple(
        ExternalIdentityView(
            id=row.pk,
            way=row.way,
            real_name_level=row.real_name_level,
            bound_at=row.bound_at,
            last_used_at=row.last_used_at,
        )
        for row in ExternalIdentity.objects.filter(user_id=user_id, unbound_at__isnull=True).order_by("id")
    )


def external_index(identity: VerifiedIdentity) -> bytes:
    """Return the keyed hash under which an identity is found; the same number at another place gives another."""
    return bytes.fromhex(
        blind_index(f"{identity.issuer}\n{identity.subject}", purpose="identity.external_subject")
    )
