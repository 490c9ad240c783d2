"""The lock-out (登录锁定): tries at a password or a second factor are counted in the database, per name and per address."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.identity.domain.sign_in import LockRules
from tanpuhui.foundation.identity.models import SignInAttempt
from tanpuhui.foundation.keys.queries import blind_index

PASSWORD, SECOND_FACTOR = "password", "second_factor"
SIGNED_IN, WRONG, LOCKED = "signed_in", "wrong", "locked"


def name_index_hex(username: str) -> str:
    """Return the keyed hash under which the tries of a user name are counted, known or not."""
    return blind_index(username, purpose="identity.sign_in_name")


def is_locked(*, name_index_hex: str, way: str, ip: str, at: datetime, rules: LockRules) -> bool:
    """Say whether there are too many failures for the name since its last success, or from the address."""
    recent = SignInAttempt.objects.filter(at__gt=at - rules.locked, way=way)
    of_name = recent.filter(name_index=bytes.fromhex(name_index_hex))
    last_success = of_name.filter(outcome=SIGNED_IN).order_by("-id").values_list("id", flat=True).first() or 0
    return (
        of_name.filter(outcome=WRONG, id__gt=last_success).count() >= rules.failures_max
        or recent.filter(ip=ip, outcome=WRONG).count() >= rules.failures_per_address_max
    )


def note_attempt(*, name_index_hex: str, way: str, ip: str, outcome: str, at: datetime) -> int:
    """Write one try down and return its number."""
    return SignInAttempt.objects.create(
        name_index=bytes.fromhex(name_index_hex), way=way, ip=ip, outcome=outcome, at=at
    ).id
