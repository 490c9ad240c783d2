"""Signing in through somebody else's sign-in (联合登录): sent there, verified, bound once, used, undone.

What is kept of another place is its name, a keyed hash of the person's number there, and the real-name level it gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.adapters.federation import check_state, new_state, way_of
from tanpuhui.foundation.identity.domain.federation import (
    CameBack,
    IdentityNotBound,
    IdentityTaken,
    VerifiedIdentity,
)
from tanpuhui.foundation.identity.models import ExternalIdentity, User
from tanpuhui.foundation.identity.operations._open_people import hold_open
from tanpuhui.foundation.identity.operations._second_factor import own, require_self
from tanpuhui.foundation.identity.queries.federation import external_index
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class SentElsewhere:
    """Where the browser goes, and what must be kept on the server until it comes back."""

    address: str
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityUsed:
    """Who came by an identity; `counted` is false where the binding was undone at that moment."""

    user_id: int
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityBound:
    """A binding in force; `new` is false where it stood before."""

    user_id: int
    external_identity_id: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityUnbound:
    """A binding that was undone."""

    user_id: int
    external_identity_id: int


def begin_federation(*, way: str, return_address: str) -> SentElsewhere:
    """Return where to send a browser that wants to sign in another way.

    Raises FederationUnknown, FederationMisconfigured, FederationUnreachable, FederationUntrusted, FederationDeclined.
    """
    state = new_state()
    address, kept = way_of(way).federation.begin(state=state, return_address=return_address)
    return SentElsewhere(address=address, kept={**kept, "state": state})


def complete_federation(
    *, way: str, kept: Mapping[str, str], brought: Mapping[str, str], return_address: str, at: datetime
) -> VerifiedIdentity:
    """Return who a browser is that came back; what was kept serves once, which the caller sees to.

    Raises FederationStale where the answer belongs to another question, and what `begin_federation` raises.
    """
    back = CameBack(kept=kept, brought=brought, return_address=return_address, now=int(at.timestamp()))
    check_state(back)
    return way_of(way).federation.complete(back)


def sign_in_with_identity(*, identity: VerifiedIdentity, at: datetime) -> User | None:
    """Return the active person who bound this identity, None where nobody did; the caller opens the session."""
    row = ExternalIdentity.objects.filter(
        issuer=identity.issuer, subject_index=external_index(identity), unbound_at__isnull=True
    ).first()
    if row is None:
        return None
    used = use_identity(
        actor=own(row.user_id),
        at=at,
        user_id=row.user_id,
        external_identity_id=row.pk,
        real_name_level=identity.real_name_level,
    )
    return User.objects.filter(id=used.user_id, is_active=True).first() if used.counted else None


@operation(roles=set(), subject="user:{user_id}")
def use_identity(
    *, actor: Actor, at: datetime, user_id: int, external_identity_id: int, real_name_level: str
) -> IdentityUsed:
    """Record that somebody came by an identity, and the real-name level that it has now. Raises NotPermitted."""
    require_self(actor, user_id, operation="identity.use_identity")
    found = ExternalIdentity.objects.filter(
        id=external_identity_id, user_id=user_id, unbound_at__isnull=True
    ).update(last_used_at=at, real_name_level=real_name_level)
    return IdentityUsed(user_id=user_id, counted=found == 1)


@operation(roles=set(), subject="user:{user_id}")
def bind_identity(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    way: str,
    issuer: str,
    subject_index_hex: str,
    real_name_level: str,
) -> IdentityBound:
    """Bind a verified identity to somebody who has just shown here who they are, by its `queries.external_index`.

    One identity is one person's; a person has one at each place. Raises IdentityTaken, NotPermitted, AccountClosed.
    """
    require_self(actor, user_id, operation="identity.bind_identity")
    index = bytes.fromhex(subject_index_hex)
    lock_names(f"identity:external:{issuer}:{subject_index_hex}")
    hold_open([user_id])
    standing = ExternalIdentity.objects.filter(
        issuer=issuer, subject_index=index, unbound_at__isnull=True
    ).first()
    if standing is not None and standing.user_id == user_id:
        return IdentityBound(user_id=user_id, external_identity_id=standing.pk, new=False)
    if standing is not None:
        raise IdentityTaken(way=way)
    try:
        with transaction.atomic():
            row = ExternalIdentity.objects.create(
                user_id=user_id,
                way=way,
                issuer=issuer,
                subject_index=index,
                real_name_level=real_name_level,
                bound_at=at,
                last_used_at=at,
            )
    except IntegrityError as error:
        # Another identity of the same place is bound to this person; the constraint decides, also for two at once.
        raise IdentityTaken(way=way) from error
    return IdentityBound(user_id=user_id, external_identity_id=row.pk, new=True)


@operation(roles=set(), subject="user:{user_id}")
def unbind_identity(
    *, actor: Actor, at: datetime, user_id: int, external_identity_id: int
) -> IdentityUnbound:
    """Undo a binding of one's own; signing in by phone stays. Raises IdentityNotBound, NotPermitted."""
    require_self(actor, user_id, operation="identity.unbind_identity")
    done = ExternalIdentity.objects.filter(
        id=external_identity_id, user_id=user_id, unbound_at__isnull=True
    ).update(unbound_at=at)
    if not done:
        raise IdentityNotBound
    return IdentityUnbound(user_id=user_id, external_identity_id=external_identity_id)
