"""Enter or correct one day of the holiday table (节假日表维护)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook.events import HolidaysChanged
from tanpuhui.foundation.rulebook.models import Holiday


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaySet:
    """The day as it now stands."""

    day: date
    works: bool


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="holiday:{day}")
def set_holiday(
    *,
    actor: Actor,
    at: datetime,
    day: date,
    works: bool,
    name_zh: str,
    basis: str,
    idempotency_key: str | None = None,
) -> HolidaySet:
    """Say that a day is free, or worked, against its weekday.

    Deadlines of running cases are reckoned again (`HolidaysChanged`). Raises Invalid.
    """
    if not basis.strip():
        raise Invalid(field="basis", why="请写明依据 / name the notice it rests on")
    Holiday.objects.update_or_create(day=day, defaults={"works": works, "name_zh": name_zh, "basis": basis})
    publish(HolidaysChanged())
    return HolidaySet(day=day, works=works)
