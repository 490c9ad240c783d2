"""Closures of accounts (账户注销): what was asked, what is due, whose account is closed, and that nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.identity.models import (
    AccountClosure,
    Consent,
    EarlierPassword,
    ExternalIdentity,
    Invitation,
    Membership,
    PartnerSubject,
    Passkey,
    RecoveryCode,
    SignInSession,
    TotpAuthenticator,
    User,
)
from tanpuhui.foundation.identity.queries.acting import in_force
from tanpuhui.foundation.kernel.breaches import Breach

_LEFT = (
    PartnerSubject,
    ExternalIdentity,
    Passkey,
    TotpAuthenticator,
    RecoveryCode,
    EarlierPassword,
    Invitation,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureView:
    """A closure that a person asked for and did not take back; `put_off_for` names what kept it open at the last try."""

    id: int
    user_id: int
    requested_at: datetime
    due_at: datetime
    put_off_for: tuple[str, ...]


def acts_for_organisation(user_id: int, *, at: datetime) -> bool:
    """Say whether somebody holds a role for an organisation at a moment, or the account is a work account."""
    held = in_force(Membership.objects.filter(user_id=user_id), at).exists()
    return held or User.objects.filter(pk=user_id).exclude(is_citizen=True, organisation=None).exists()


def closure_of(user_id: int) -> ClosureView | None:
    """Return the closure that stands for a person and is not done yet."""
    row = AccountClosure.objects.filter(
        user_id=user_id, cancelled_at__isnull=True, closed_at__isnull=True
    ).first()
    return None if row is None else _view(row)


def closures_due(*, at: datetime) -> tuple[int, ...]:
    """Return the closures to be done by a moment, the oldest first."""
    rows = AccountClosure.objects.filter(cancelled_at__isnull=True, closed_at__isnull=True, due_at__lte=at)
    return tuple(rows.order_by("due_at", "id").values_list("id", flat=True))


def closed_at(user_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when each of these people's accounts was closed; the others are left out."""
    rows = User.objects.filter(id__in=list(user_ids), closed_at__isnull=False)
    return {user_id: at for user_id, at in rows.values_list("id", "closed_at") if at is not None}


def closures_done() -> int:
    """Return how many accounts were ever closed; the same number twice says that none was in between."""
    return AccountClosure.objects.filter(closed_at__isnull=False).count()


def users_closed() -> frozenset[int]:
    """Return everybody whose account is closed."""
    return frozenset(AccountClosure.objects.filter(closed_at__isnull=False).values_list("user_id", flat=True))


def closure_breaches() -> Iterator[Breach]:
    """Report closed accounts of which something is left, and those that nobody asked to close."""
    for model in _LEFT:
        for user_id in _closed(model.objects.values_list("user_id", flat=True)):
            yield Breach("closed_is_forgotten", f"user:{user_id}", f"{model.__name__} is left")
    for user_id in _closed(
        Consent.objects.filter(withdrawn_at__isnull=True).values_list("user_id", flat=True)
    ):
        yield Breach("closed_is_forgotten", f"user:{user_id}", "a consent stands")
    sessions = SignInSession.objects.exclude(ended_at__isnull=False, device="")
    for user_id in _closed(sessions.values_list("user_id", flat=True)):
        yield Breach("closed_is_forgotten", f"user:{user_id}", "a session is open, or names a device")
    asked = AccountClosure.objects.filter(closed_at__isnull=False).values("user_id")
    for user_id in (
        User.objects.filter(closed_at__isnull=False).exclude(id__in=asked).values_list("id", flat=True)
    ):
        yield Breach("closed_as_asked", f"user:{user_id}", "closed, and nobody asked for it")
    for user_id in User.objects.filter(closed_at__isnull=True, id__in=asked).values_list("id", flat=True):
        yield Breach("closed_as_asked", f"user:{user_id}", "the closure is done, and the account stands")


def _closed(user_ids: Iterable[int]) -> list[int]:
    rows = User.objects.filter(id__in=user_ids, closed_at__isnull=False)
    return list(rows.order_by("id").values_list("id", flat=True))


def _view(row: AccountClosure) -> ClosureView:
    return ClosureView(
        id=row.pk,
        user_id=row.user_id,
        requested_at=row.requested_at,
        due_at=row.due_at,
        put_off_for=tuple(row.put_off_for),
    )
