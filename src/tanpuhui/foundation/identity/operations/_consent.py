"""Give and withdraw the separate consent for one scenario (单独同意).

Basis: 个人信息保护法 articles 14 (again when the purpose changes: `text_version`), 15 (withdrawal), 29 (trip data).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import ConsentStands, NoConsent, check_name
from tanpuhui.foundation.identity.domain.consent_texts import SCENARIO, ConsentTextChanged
from tanpuhui.foundation.identity.models import Consent, ConsentText, User
from tanpuhui.foundation.identity.operations._closure import person_lock
from tanpuhui.foundation.identity.operations._open_people import hold_open
from tanpuhui.foundation.identity.queries.consent_texts import consent_text
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """The consent now in force."""

    consent_id: int
    user_id: int
    scenario: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsGiven:
    """How many people's consents were recorded now; those whose consent stood already are not counted."""

    scenario: str
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn:
    """The consent that ended; what was done under it stays valid."""

    consent_id: int
    user_id: int
    scenario: str


@operation(roles={Role.CITIZEN}, subject="user:{user_id}")
def give_consent(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    scenario: str,
    text_version: str | None = None,
    idempotency_key: str | None = None,
) -> ConsentGiven:
    """Record that a person agrees to the text in force for one scenario, with its version and hash; only they can say so.

    `text_version` is what they read, refused where it is not the one in force. Consent to another version ends the earlier
    one at the same moment. Raises ConsentStands, ConsentTextChanged, ConsentTextMissing, NotFound, NotPermitted, AccountClosed.
    """
    _require_self(actor, user_id=user_id, operation="identity.give_consent")
    check_name(scenario, field="scenario")
    lock_names(person_lock(user_id))
    hold_open([user_id])
    if not User.objects.filter(id=user_id, is_citizen=True).exists():
        raise NotFound(what="公众用户 citizen", id=user_id)
    text = consent_text(SCENARIO, at=at)
    if text_version not in (None, text.version):
        raise ConsentTextChanged(version=text.version, seen=text_version)
    standing = Consent.objects.filter(user_id=user_id, scenario=scenario, withdrawn_at__isnull=True).first()
    if standing is not None:
        if standing.text_version == text.version:
            raise ConsentStands(scenario=scenario)
        standing.withdrawn_at = at
        standing.save(update_fields=["withdrawn_at"])
    row = Consent.objects.create(
        user_id=user_id,
        scenario=scenario,
        text_version=text.version,
        text_sha256=text.sha256(),
        given_at=at,
    )
    return ConsentGiven(consent_id=row.id, user_id=user_id, scenario=scenario)


@operation(roles={Role.SYSTEM}, subject="scenario:{scenario}")
def give_consents(
    *,
    actor: Actor,
    at: datetime,
    user_ids: Sequence[int],
    scenario: str,
    text_version: str,
    idempotency_key: str | None = None,
) -> ConsentsGiven:
    """Take over many people's consents for one scenario, given elsewhere to the same text. Raises NotFound, AccountClosed.

    Where this version was loaded here, its hash is recorded; a text that only the other place has is named alone.
    """
    check_name(scenario, field="scenario")
    check_name(text_version, field="text_version")
    wanted = set(user_ids)
    hold_open(sorted(wanted))
    missing = wanted - set(User.objects.filter(id__in=wanted, is_citizen=True).values_list("id", flat=True))
    if missing:
        raise NotFound(what="公众用户 citizen", id=min(missing))
    standing = set(
        Consent.objects.filter(user_id__in=wanted, scenario=scenario, withdrawn_at__isnull=True).values_list(
            "user_id", flat=True
        )
    )
    text = ConsentText.objects.filter(purpose=SCENARIO, version=text_version).first()
    new = [
        Consent(
            user_id=user_id,
            scenario=scenario,
            text_version=text_version,
            text_sha256="" if text is None else text.sha256,
            given_at=at,
        )
        for user_id in sorted(wanted - standing)
    ]
    Consent.objects.bulk_create(new, batch_size=2000)
    return ConsentsGiven(scenario=scenario, given=len(new))


@operation(roles={Role.CITIZEN}, subject="user:{user_id}")
def withdraw_consent(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    scenario: str,
    idempotency_key: str | None = None,
) -> ConsentWithdrawn:
    """End a person's consent for one scenario now, without effect on what was done before. Raises NoConsent, NotPermitted."""
    _require_self(actor, user_id=user_id, operation="identity.withdraw_consent")
    lock_names(person_lock(user_id))
    row = Consent.objects.filter(user_id=user_id, scenario=scenario, withdrawn_at__isnull=True).first()
    if row is None:
        raise NoConsent(scenario=scenario)
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    return ConsentWithdrawn(consent_id=row.id, user_id=user_id, scenario=scenario)


def _require_self(actor: Actor, *, user_id: int, operation: str) -> None:
    if Role.SYSTEM in actor.roles or (actor.kind == "user" and actor.id == str(user_id)):
        return
    raise NotPermitted(operation=operation)
