"""Partners' systems (伙伴系统): the keys under which they call, and whom a key stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tanpuhui.foundation.identity.domain import ApiKeyUnknown, OrganisationKind
from tanpuhui.foundation.identity.domain.onboarding import ContractOver
from tanpuhui.foundation.identity.domain.signatures import SignatureNeeded
from tanpuhui.foundation.identity.models import ApiKey, Organisation, SigningKey
from tanpuhui.foundation.identity.queries.onboarding import contracts
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import blind_index


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyView:
    """A partner's key as its administrator sees it: name, last four characters, dates; never the key."""

    id: int
    partner_id: int
    name: str
    hint: str
    issued_at: datetime
    revoked_at: datetime | None


def actor_of_api_key(*, key: str, at: datetime) -> Actor:
    """Return the partner that a key stands for, as an actor with the partner's role.

    Raises ApiKeyUnknown, SignatureNeeded, ContractOver.

    The actor is the partner, not the key, so that a resend under a renewed key meets the first one's idempotency key.
    """
    row = (
        ApiKey.objects.select_related("partner")
        .filter(Q(revoked_at__isnull=True) | Q(revoked_at__gt=at), key_index=api_key_index(key))
        .first()
    )
    if row is None:
        raise ApiKeyUnknown
    if signs(row.partner_id, at=at):
        raise SignatureNeeded
    return actor_of_partner(row.partner, at=at)


def actor_of_partner(partner: Organisation, *, at: datetime) -> Actor:
    """Return a partner as an actor with the partner's role. Raises ContractOver."""
    held = contracts(organisation_ids=[partner.id])
    if held and not any(one.valid_from <= business_day(at) <= one.valid_to for one in held):
        raise ContractOver
    grant = Grant(role=Role.PARTNER, organisation_id=partner.id, area=partner.area)
    return Actor(kind="partner", id=str(partner.id), grants=(grant,))


def partner_acting(*, partner_id: int, at: datetime) -> Actor:
    """Return a partner as an actor, for a door that is the partner's own by other means, as its folder is.

    Raises NotFound, ContractOver.
    """
    partner = Organisation.objects.filter(pk=partner_id, kind=OrganisationKind.PARTNER).first()
    if partner is None:
        raise NotFound(what="数据伙伴 / partner", id=partner_id)
    return actor_of_partner(partner, at=at)


def signs(partner_id: int, *, at: datetime) -> bool:
    """Say whether a partner has a signing key in force, and so has to sign its requests."""
    rows = SigningKey.objects.filter(partner_id=partner_id, valid_from__lte=at, revoked_at__isnull=True)
    return rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=at)).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyView:
    """A partner's public key: what it is for, the id under which it signs, and until when."""

    id: int
    partner_id: int
    name: str
    key_id: str
    valid_from: datetime
    valid_to: datetime | None
    revoked_at: datetime | None


def signing_keys(organisation_id: int) -> tuple[SigningKeyView, ...]:
    """Return the signing keys of a partner, the newest first, revoked ones too."""
    return tuple(
        SigningKeyView(
            id=row.id,
            partner_id=row.partner_id,
            name=row.name,
            key_id=row.key_id,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            revoked_at=row.revoked_at,
        )
        for row in SigningKey.objects.filter(partner_id=organisation_id).order_by("-valid_from", "-id")
    )


def api_keys(organisation_id: int) -> tuple[ApiKeyView, ...]:
    """Return the keys of a partner, the newest first, revoked ones too."""
    return tuple(
        ApiKeyView(
            id=row.id,
            partner_id=row.partner_id,
            name=row.name,
            hint=row.hint,
            issued_at=row.issued_at,
            revoked_at=row.revoked_at,
        )
        for row in ApiKey.objects.filter(partner_id=organisation_id).order_by("-issued_at", "-id")
    )


def api_key_index(key: str) -> bytes:
    """Return the blind index by which a key is found."""
    return bytes.fromhex(blind_index(key, purpose="identity.api_key"))
