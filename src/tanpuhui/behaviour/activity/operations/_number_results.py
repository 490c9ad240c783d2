"""Number results (结果编号): whatever became of records since the last time gets the next numbers of its partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from tanpuhui.behaviour.activity.adapters.results import NUMBER_PARTS
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultsNumbered:
    """How many parts got a number."""

    parts: int


@operation(roles={Role.SYSTEM}, subject="results")
def number_results(*, actor: Actor, at: datetime) -> ResultsNumbered:
    """Give every posting, rest of a batch, settlement's loss, exception run and recalculated slice its number, once.

    It looks for what has none instead of going on from a last id: what commits late gets a later number, and nothing that posts has
    to wait for a counter (docs/decisions/results-are-numbered-afterwards.md). Raises Busy (retryable).
    """
    lock_names("activity:results")
    with connection.cursor() as cursor:
        cursor.execute(NUMBER_PARTS, {"at": at})
        return ResultsNumbered(parts=cursor.rowcount)
