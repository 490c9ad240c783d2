"""Public keys of a partner for signed requests (签名公钥): registered beside each other, revoked, and used."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.adapters.message_signatures import Message, read_public_key, verify
from tanpuhui.foundation.identity.domain import OrganisationKind, RoleNotOfKind, check_name
from tanpuhui.foundation.identity.domain.signatures import SignatureReplayed, SigningKeyRevoked, check_age
from tanpuhui.foundation.identity.models import Organisation, SigningKey, UsedNonce
from tanpuhui.foundation.identity.operations._authority import require_granter
from tanpuhui.foundation.identity.queries import actor_of_partner
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.rulebook import queries as rulebook

KEY_ID_BYTES = 12
NONCES_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyRegistered:
    """A registered public key and the id under which it signs."""

    signing_key_id: int
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyClosed:
    """A revoked key, and since when."""

    signing_key_id: int
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoncesForgotten:
    """How many nonces were deleted; all of them are older than any signature that would be taken."""

    before: datetime
    nonces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """Who signed a request, and the SHA-256 of the body that they signed; None without one."""

    actor: Actor
    body_sha256: bytes | None


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="signing_key:{signing_key_id}")
def register_signing_key(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    name: str,
    public_key: str,
    valid_to: datetime | None = None,
    idempotency_key: str | None = None,
) -> SigningKeyRegistered:
    """Register a public key (PEM, Ed25519), valid from now on; earlier ones stay valid, so that keys rotate without a gap.

    From the first one on, API keys alone are refused. Only a partner's own administrator, or the security administrator, may.
    Raises NotPermitted, NotFound, Invalid, RoleNotOfKind, SigningKeyUnusable.
    """
    organisation = Organisation.objects.filter(id=organisation_id).first()
    if organisation is None:
        raise NotFound(what="机构 organisation", id=organisation_id)
    require_granter(
        actor,
        organisation_id=organisation_id,
        area=organisation.area,
        operation="identity.register_signing_key",
    )
    if organisation.kind != OrganisationKind.PARTNER:
        raise RoleNotOfKind(kind=organisation.kind, role=Role.PARTNER.value)
    check_name(name, field="name")
    if valid_to is not None and valid_to <= at:
        raise Invalid(field="valid_to", why="必须晚于现在 must be later than now")
    row = SigningKey.objects.create(
        partner=organisation,
        name=name,
        key_id=f"tsk-{secrets.token_hex(KEY_ID_BYTES)}",
        public_key=read_public_key(public_key),
        valid_from=at,
        valid_to=valid_to,
    )
    return SigningKeyRegistered(signing_key_id=row.id, key_id=row.key_id)


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="signing_key:{signing_key_id}")
def revoke_signing_key(
    *, actor: Actor, at: datetime, signing_key_id: int, idempotency_key: str | None = None
) -> SigningKeyClosed:
    """Revoke a key from this moment on. Raises NotFound, NotPermitted, SigningKeyRevoked."""
    row = SigningKey.objects.select_for_update().select_related("partner").filter(id=signing_key_id).first()
    if row is None:
        raise NotFound(what="签名公钥 signing key", id=signing_key_id)
    require_granter(
        actor, organisation_id=row.partner_id, area=row.partner.area, operation="identity.revoke_signing_key"
    )
    if row.revoked_at is not None:
        raise SigningKeyRevoked(name=row.name, revoked_at=row.revoked_at)
    row.revoked_at = at
    row.save(update_fields=["revoked_at"])
    return SigningKeyClosed(signing_key_id=row.id, revoked_at=at)


def accept_signed_request(*, message: Message, at: datetime) -> SignedRequest:
    """Return who signed a request, and use its nonce up, in a transaction of its own: a request is carried out once.

    The nonce is used even where the request is refused afterwards; a resend is signed anew. Source: RFC 9421 section 7.2.2.
    Raises SignatureInvalid, SignatureKeyUnknown, SignatureStale, SignatureReplayed, ContractOver, ParameterUnset.
    """
    keys: dict[str, SigningKey] = {}

    def find(key_id: str) -> str | None:
        row = (
            SigningKey.objects.select_related("partner")
            .filter(
                Q(valid_to__isnull=True) | Q(valid_to__gt=at),
                Q(revoked_at__isnull=True) | Q(revoked_at__gt=at),
            )
            .filter(key_id=key_id, valid_from__lte=at)
            .first()
        )
        if row is None:
            return None
        keys[key_id] = row
        return row.public_key

    signed = verify(message, find)
    check_age(created=signed.created, expires=signed.expires, at=at, age_max=age_max(at))
    try:
        with transaction.atomic():
            UsedNonce.objects.create(key_id=signed.key_id, nonce=signed.nonce, used_at=at)
    except IntegrityError as error:
        raise SignatureReplayed from error
    actor = actor_of_partner(keys[signed.key_id].partner, at=at)
    return SignedRequest(actor=actor, body_sha256=signed.body_sha256)


@operation(roles={Role.SYSTEM}, subject="nonces:{before}")
def forget_nonces(*, actor: Actor, at: datetime) -> NoncesForgotten:
    """Delete nonces whose signatures would be too old by now, counted twice over. Raises ParameterUnset."""
    before = at - 2 * age_max(at)
    old = UsedNonce.objects.filter(used_at__lt=before)
    return NoncesForgotten(before=before, nonces=old.delete()[0])


def age_max(at: datetime) -> timedelta:
    """Return how old a signed request may be, which is also how far clocks may be apart. Raises ParameterUnset."""
    return timedelta(seconds=int(str(rulebook.require_parameter(key="api.signature_age_s_max", at=at).value)))
