"""Close an account (账户注销): asked for and taken back by the person; what identity holds of them is forgotten at the end."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.sessions.models import Session
from django.db import transaction

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.adapters.sms import forget_texts
from tanpuhui.foundation.identity.domain.closure import (
    WAITING_DAYS,
    ClosureStands,
    HoldsRoles,
    NoClosure,
    due_at,
)
from tanpuhui.foundation.identity.events import ClosureDue
from tanpuhui.foundation.identity.models import (
    AccountClosure,
    Consent,
    EarlierPassword,
    ExternalIdentity,
    Invitation,
    PartnerSubject,
    Passkey,
    RecoveryCode,
    SignInCode,
    SignInSession,
    TotpAuthenticator,
    User,
)
from tanpuhui.foundation.identity.operations._open_people import hold_open
from tanpuhui.foundation.identity.operations._session import end_sessions_of
from tanpuhui.foundation.identity.queries import PHONE_CONTEXT
from tanpuhui.foundation.identity.queries.closures import acts_for_organisation
from tanpuhui.foundation.kernel.actors import CLOSED_NAME, Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.keys.queries import unseal
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import parameter

_FORGOTTEN = (ExternalIdentity, Passkey, TotpAuthenticator, RecoveryCode, EarlierPassword, Invitation)
"""What only serves to know a person again; nothing of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureRequested:
    """The closure that is asked for, and when it is to be done."""

    user_id: int
    closure_id: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureCancelled:
    """The closure that was taken back; the account stands as before."""

    user_id: int
    closure_id: int


def person_lock(user_id: int) -> str:
    """Return the name of the lock under which a person's consents and closure change."""
    return f"identity:user:{user_id}"


@operation(roles={Role.CITIZEN}, subject="user:{user_id}")
def request_closure(*, actor: Actor, at: datetime, user_id: int, idempotency_key: str) -> ClosureRequested:
    """Write down that a person wants their account closed, after `account.closure_days` in which they can come back.

    Where the rule is unset there is no such time, and it is done at once. Whether something stands in the way is for
    the journey that calls this. Raises ClosureStands, HoldsRoles, AccountClosed, NotPermitted.
    """
    _require_self(actor, user_id, operation="identity.request_closure")
    lock_names(person_lock(user_id))
    hold_open([user_id])
    _check_no_roles(user_id, at=at)
    if AccountClosure.objects.filter(user_id=user_id, cancelled_at__isnull=True).exists():
        raise ClosureStands
    due = due_at(at, parameter(key=WAITING_DAYS, at=at).value)
    row = AccountClosure.objects.create(user_id=user_id, requested_at=at, due_at=due)
    if due <= at:
        publish(ClosureDue(closure_id=row.pk))
    return ClosureRequested(user_id=user_id, closure_id=row.pk, due_at=due)


@operation(roles={Role.CITIZEN}, subject="user:{user_id}")
def cancel_closure(*, actor: Actor, at: datetime, user_id: int, idempotency_key: str) -> ClosureCancelled:
    """Take the wish to close the account back, as long as it is not closed. Raises NoClosure, NotPermitted."""
    _require_self(actor, user_id, operation="identity.cancel_closure")
    lock_names(person_lock(user_id))
    row = AccountClosure.objects.filter(
        user_id=user_id, cancelled_at__isnull=True, closed_at__isnull=True
    ).first()
    if row is None:
        raise NoClosure
    row.cancelled_at = at
    row.save(update_fields=["cancelled_at"])
    return ClosureCancelled(user_id=user_id, closure_id=row.pk)


def closure_to_do(closure_id: int, *, at: datetime) -> int | None:
    """Return whose account is to be closed now, the person locked; None where it is not due, taken back or done.

    A building block of the closure; called before anything else of the person is read. Raises NotFound.
    """
    row = AccountClosure.objects.filter(pk=closure_id).first()
    if row is None:
        raise NotFound(what="账户注销 closure", id=closure_id)
    lock_names(person_lock(row.user_id))
    row.refresh_from_db()
    if row.cancelled_at is not None or row.closed_at is not None or row.due_at > at:
        return None
    return row.user_id


def put_off(closure_id: int, reasons: Sequence[str]) -> None:
    """Keep what stands in the way of a closure that is due; the next try finds it done or not. A building block."""
    AccountClosure.objects.filter(pk=closure_id).update(put_off_for=list(reasons))


def stop_receiving(user_id: int, *, at: datetime) -> None:
    """End every consent and take every partner's binding away, so that no new record reaches the person.

    A building block of the closure. Consents stay as ended rows: they are why earlier records were handled lawfully.
    """
    Consent.objects.filter(user_id=user_id, withdrawn_at__isnull=True).update(withdrawn_at=at)
    PartnerSubject.objects.filter(user_id=user_id).delete()


def forget_person(closure_id: int, user_id: int, *, at: datetime) -> None:
    """Forget who the person was: only the number stays, without phone, name, sign-in or device. A building block.

    Whoever gives something to the person waits for this, and then finds the account closed. What the law makes
    us keep of sign-ins (time, way, network address) stays under the number and ends with `retention.log_months`.
    Raises HoldsRoles.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    _check_no_roles(user_id, at=at)
    stop_receiving(user_id, at=at)
    for model in _FORGOTTEN:
        model.objects.filter(user_id=user_id).delete()
    end_sessions_of(user_id, at=at, why="closed")
    sessions = SignInSession.objects.filter(user_id=user_id)
    Session.objects.filter(session_key__in=list(sessions.values_list("session_key", flat=True))).delete()
    sessions.update(device="")
    if user.phone_index is not None and user.phone_sealed is not None:
        _forget_codes(bytes(user.phone_index))
        phone = unseal(bytes(user.phone_sealed), context=PHONE_CONTEXT)
        transaction.on_commit(lambda: forget_texts(phone))
    user.username = f"closed-{user_id}"
    user.display_name = CLOSED_NAME
    user.phone_sealed = user.phone_index = user.last_login = user.password_set_at = None
    user.password = UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20)
    user.is_active = False
    user.closed_at = at
    user.save()
    AccountClosure.objects.filter(pk=closure_id).update(closed_at=at, put_off_for=[])


def _forget_codes(phone_index: bytes) -> None:
    """Let the log of codes say when and from where, and no longer for which phone: its keyed hash can be tried."""
    for row in SignInCode.objects.filter(phone_index=phone_index):
        row.phone_index, row.code_index = secrets.token_bytes(32), secrets.token_bytes(32)
        row.save(update_fields=["phone_index", "code_index"])


def _check_no_roles(user_id: int, *, at: datetime) -> None:
    if acts_for_organisation(user_id, at=at):
        raise HoldsRoles


def _require_self(actor: Actor, user_id: int, *, operation: str) -> None:
    if not (actor.kind == "user" and actor.id == str(user_id)):
        raise NotPermitted(operation=operation)
