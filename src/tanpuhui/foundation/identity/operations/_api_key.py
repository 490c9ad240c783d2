"""Keys under which a partner's system calls (接口密钥): issued, shown once, revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    API_KEY_BYTES,
    API_KEY_PREFIX,
    ApiKeyRevoked,
    OrganisationKind,
    RoleNotOfKind,
    check_name,
)
from tanpuhui.foundation.identity.models import ApiKey, Organisation
from tanpuhui.foundation.identity.operations._authority import require_granter
from tanpuhui.foundation.identity.queries import api_key_index
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound

HINT_CHARACTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyIssued:
    """A new key. `key` is shown to whoever asked for it and is kept nowhere."""

    api_key_id: int
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecorded:
    """The record of a new key."""

    api_key_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyClosed:
    """A revoked key, and since when."""

    api_key_id: int
    revoked_at: datetime


def issue_api_key(
    *, actor: Actor, at: datetime, organisation_id: int, name: str, idempotency_key: str | None = None
) -> ApiKeyIssued:
    """Make a key for a data partner's system and return it; it can be seen this once only.

    A repeat under the same idempotency key raises IdempotencyConflict, since what was shown cannot be shown again.
    Raises NotPermitted, NotFound, Invalid, RoleNotOfKind.
    """
    key = API_KEY_PREFIX + secrets.token_urlsafe(API_KEY_BYTES)
    recorded = record_api_key(
        actor=actor,
        at=at,
        organisation_id=organisation_id,
        name=name,
        key_index_hex=api_key_index(key).hex(),
        hint=key[-HINT_CHARACTERS:],
        idempotency_key=idempotency_key,
    )
    return ApiKeyIssued(api_key_id=recorded.api_key_id, key=key)


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="api_key:{api_key_id}")
def record_api_key(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    name: str,
    key_index_hex: str,
    hint: str,
    idempotency_key: str | None = None,
) -> ApiKeyRecorded:
    """Record the keyed hash of a new key. Only a partner's own administrator, or the security administrator, may. See issue_api_key."""
    organisation = Organisation.objects.filter(id=organisation_id).first()
    if organisation is None:
        raise NotFound(what="机构 organisation", id=organisation_id)
    require_granter(
        actor, organisation_id=organisation_id, area=organisation.area, operation="identity.issue_api_key"
    )
    if organisation.kind != OrganisationKind.PARTNER:
        raise RoleNotOfKind(kind=organisation.kind, role=Role.PARTNER.value)
    check_name(name, field="name")
    row = ApiKey.objects.create(
        partner=organisation, name=name, key_index=bytes.fromhex(key_index_hex), hint=hint, issued_at=at
    )
    return ApiKeyRecorded(api_key_id=row.id)


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="api_key:{api_key_id}")
def revoke_api_key(
    *, actor: Actor, at: datetime, api_key_id: int, idempotency_key: str | None = None
) -> ApiKeyClosed:
    """Revoke a key from this moment on. Raises NotFound, NotPermitted, ApiKeyRevoked."""
    row = ApiKey.objects.select_for_update().select_related("partner").filter(id=api_key_id).first()
    if row is None:
        raise NotFound(what="接口密钥 API key", id=api_key_id)
    require_granter(
        actor, organisation_id=row.partner_id, area=row.partner.area, operation="identity.revoke_api_key"
    )
    if row.revoked_at is not None:
        raise ApiKeyRevoked(name=row.name, revoked_at=row.revoked_at)
    row.revoked_at = at
    row.save(update_fields=["revoked_at"])
    return ApiKeyClosed(api_key_id=row.id, revoked_at=at)
