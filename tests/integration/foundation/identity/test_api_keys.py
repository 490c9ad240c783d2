"""A partner's system calls under a key that was shown once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.audit.operations import IdempotencyConflict
from tanpuhui.foundation.identity.models import ApiKey
from tanpuhui.foundation.identity.operations import (
    ApiKeyRevoked,
    ApiKeyUnknown,
    RoleNotOfKind,
    issue_api_key,
    revoke_api_key,
)
from tanpuhui.foundation.identity.queries import actor_of_api_key, api_keys
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted


def test_a_key_stands_for_its_partner_and_nothing_more(
    partner_id: int, security: Actor, now: datetime
) -> None:
    issued = issue_api_key(actor=security, at=now, organisation_id=partner_id, name="生产")
    actor = actor_of_api_key(key=issued.key, at=now)
    assert (actor.kind, actor.id, actor.roles) == ("partner", str(partner_id), frozenset({Role.PARTNER}))
    assert actor.organisation_ids(Role.PARTNER) == (partner_id,)


def test_the_key_is_kept_nowhere(partner_id: int, security: Actor, now: datetime) -> None:
    issued = issue_api_key(actor=security, at=now, organisation_id=partner_id, name="生产")
    row = ApiKey.objects.get(pk=issued.api_key_id)
    assert issued.key.encode() not in bytes(row.key_index)
    assert row.hint == issued.key[-4:]
    audited = json.dumps([record.result for record in AuditRecord.objects.all()])
    assert issued.key not in audited
    assert api_keys(partner_id)[0].hint == issued.key[-4:]


def test_a_revoked_key_is_unknown_from_that_moment(partner_id: int, security: Actor, now: datetime) -> None:
    issued = issue_api_key(actor=security, at=now, organisation_id=partner_id, name="生产")
    later = now + timedelta(hours=1)
    revoke_api_key(actor=security, at=later, api_key_id=issued.api_key_id)
    assert actor_of_api_key(key=issued.key, at=now).kind == "partner"
    with pytest.raises(ApiKeyUnknown):
        actor_of_api_key(key=issued.key, at=later)
    with pytest.raises(ApiKeyRevoked):
        revoke_api_key(actor=security, at=later, api_key_id=issued.api_key_id)


@pytest.mark.django_db
def test_a_key_that_was_never_issued_opens_nothing(now: datetime) -> None:
    with pytest.raises(ApiKeyUnknown):
        actor_of_api_key(key="tph_guess", at=now)


def test_only_an_administrator_issues_and_only_to_a_partner(
    partner_id: int, centre_id: int, security: Actor, now: datetime
) -> None:
    stranger = Actor(kind="user", id="9", grants=(Grant(Role.ADMINISTRATOR, 999_999, "990000"),))
    with pytest.raises(NotPermitted):
        issue_api_key(actor=stranger, at=now, organisation_id=partner_id, name="生产")
    with pytest.raises(RoleNotOfKind):
        issue_api_key(actor=security, at=now, organisation_id=centre_id, name="生产")


def test_a_repeated_form_makes_no_second_key(partner_id: int, security: Actor, now: datetime) -> None:
    issue_api_key(actor=security, at=now, organisation_id=partner_id, name="生产", idempotency_key="form-1")
    with pytest.raises(IdempotencyConflict):
        issue_api_key(
            actor=security, at=now, organisation_id=partner_id, name="生产", idempotency_key="form-1"
        )
    assert ApiKey.objects.count() == 1
