"""The end of retention (登录记录到期清理): tries, codes and sessions older than the rule are deleted, none younger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import connection

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.models import SignInAttempt, SignInCode, SignInSession
from tanpuhui.foundation.identity.queries.sign_in import whole_number
from tanpuhui.foundation.kernel.actors import Actor, Role

ROWS_MAX = 10_000
"""One run holds its locks for a moment only; what is left waits for the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInsForgotten:
    """How many rows were deleted, and from which moment on everything is kept."""

    before: datetime
    attempts: int
    codes: int
    sessions: int

    @property
    def more(self) -> bool:
        """Say whether another run may find more."""
        return max(self.attempts, self.codes, self.sessions) >= ROWS_MAX


@operation(roles={Role.SYSTEM}, subject="sign_ins:{before}")
def forget_sign_ins(*, actor: Actor, at: datetime) -> SignInsForgotten:
    """Delete what is older than `retention.log_months` (网络安全法: at least six months), up to 10,000 rows a table.

    The database refuses to delete a try that is younger by its own clock, and any while the rule is unset.
    Raises ParameterUnset, NotPermitted.
    """
    before = _months_before(at, whole_number("retention.log_months", at=at))
    Session.objects.filter(expire_date__lt=at).delete()
    tries = SignInAttempt.objects.filter(at__lt=before).order_by("id").values("id")[:ROWS_MAX]
    codes = SignInCode.objects.filter(issued_at__lt=before).order_by("id").values("id")[:ROWS_MAX]
    sessions = SignInSession.objects.filter(opened_at__lt=before).order_by("id").values("id")[:ROWS_MAX]
    return SignInsForgotten(
        before=before,
        attempts=SignInAttempt.objects.filter(id__in=tries).delete()[0],
        codes=SignInCode.objects.filter(id__in=codes).delete()[0],
        sessions=SignInSession.objects.filter(id__in=sessions).delete()[0],
    )


def _months_before(at: datetime, months: int) -> datetime:
    """Return the moment so many calendar months earlier, counted as the trigger counts them."""
    with connection.cursor() as cursor:
        cursor.execute("select %s::timestamptz - make_interval(months => %s)", [at, months])
        before: datetime = cursor.fetchone()[0]
    return before
