"""People and consents of a whole file at once, as columns (批量查人): intake asks for hundreds of thousands in one posting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.foundation.keys.queries import blind_indexes
from tanpuhui.foundation.persistence.bulk import UNIX_EPOCH_MICRO, copy_in, distinct, fetch_columns

SUBJECT_PURPOSE = "identity.partner_subject"
KEY_BYTES = 32
ALWAYS = np.iinfo(np.int64).max
"""The end of a consent that stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consents:
    """Consents as columns: who, to which of the scenarios asked for (its place), and microseconds UTC since 1970.

    A consent holds from `given` until before `withdrawn`; one that stands is withdrawn at ALWAYS.
    """

    user_id: NDArray[np.int64]
    scenario: NDArray[np.int16]
    given: NDArray[np.int64]
    withdrawn: NDArray[np.int64]


def subject_keys(partner_id: int, subjects: Sequence[str]) -> list[bytes]:
    """Return the blind index of each of a partner's subjects, in order; another partner's same subject gives another."""
    return blind_indexes((f"{partner_id}:{subject}" for subject in subjects), purpose=SUBJECT_PURPOSE)


def users_in_columns(*, partner_id: int, subjects: Sequence[str]) -> NDArray[np.int64]:
    """Return the user of each subject, in order; 0 where the subject is bound to nobody. Wants an open transaction."""
    users = np.zeros(len(subjects), np.int64)
    if not len(subjects):
        return users
    keys = np.frombuffer(b"".join(subject_keys(partner_id, subjects)), f"V{KEY_BYTES}")
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table if not exists identity_sought (place integer, subject_index bytea) on commit drop"
        )
        cursor.execute("truncate identity_sought")
        places = np.arange(len(keys), dtype=np.int32)
        copy_in(
            cursor,
            "identity_sought",
            {"place": "int4", "subject_index": f"bytes{KEY_BYTES}"},
            {"place": places, "subject_index": keys},
        )
        cursor.execute("analyze identity_sought")
        found = fetch_columns(
            cursor,
            "select s.place, p.user_id from identity_sought s join identity_partnersubject p "
            "on p.partner_id = %s and p.subject_index = s.subject_index",
            {"place": "int4", "user_id": "int8"},
            [partner_id],
        )
    users[found["place"]] = found["user_id"]
    return users


def consents_in_columns(*, user_ids: NDArray[np.int64], scenarios: Sequence[str]) -> Consents:
    """Return every consent of these users for these scenarios. Wants an open transaction.

    The query names the first and last user, because a merge would begin at the first user there is: with thirty million, that
    is eight times the work.
    """
    asked = distinct(user_ids)
    first, last = (int(asked[0]), int(asked[-1])) if len(asked) else (0, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table if not exists identity_asked (user_id bigint) on commit drop; truncate identity_asked"
        )
        copy_in(cursor, "identity_asked", {"user_id": "int8"}, {"user_id": asked})
        cursor.execute("analyze identity_asked")
        found = fetch_columns(
            cursor,
            "select c.user_id, (array_position(%s::text[], c.scenario) - 1)::smallint, c.given_at, "
            "coalesce(c.withdrawn_at, 'infinity') from identity_consent c join identity_asked a using (user_id) "
            "where c.scenario = any(%s) and c.user_id between %s and %s",
            {"user_id": "int8", "scenario": "int2", "given": "timestamptz", "withdrawn": "timestamptz"},
            [list(scenarios), list(scenarios), first, last],
        )
    return Consents(
        user_id=found["user_id"],
        scenario=found["scenario"],
        given=found["given"] + UNIX_EPOCH_MICRO,
        withdrawn=np.where(
            found["withdrawn"] == ALWAYS, ALWAYS, found["withdrawn"] + np.int64(UNIX_EPOCH_MICRO)
        ),
    )
