"""Whose account is open (账户未注销), held so until the transaction ends: for whoever gives something to a person."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from tanpuhui.foundation.identity.domain.closure import AccountClosed
from tanpuhui.foundation.identity.models import User

_OPEN = """
select id from identity_user where id = any(%s) and closed_at is null order by id for key share
"""


def open_people(user_ids: Collection[int]) -> frozenset[int]:
    """Return which of these people did not close their account, and keep them from it until the transaction ends.

    A building block for whoever gives something to a person; a closure that runs is waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [list(user_ids)])
        return frozenset(user_id for (user_id,) in cursor.fetchall())


def hold_open(user_ids: Collection[int]) -> None:
    """Keep these people's accounts open until the transaction ends. A building block. Raises AccountClosed."""
    if not set(user_ids) <= open_people(user_ids) | _unknown(user_ids):
        raise AccountClosed


def _unknown(user_ids: Collection[int]) -> frozenset[int]:
    """Return the numbers that are nobody's; who they are is refused elsewhere, by its own words."""
    known = User.objects.filter(id__in=list(user_ids)).values_list("id", flat=True)
    return frozenset(user_ids) - frozenset(known)
