"""What narrows a list of cases (筛选条件), and whose cases a list holds (可见范围), each said in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.kernel.words import search_query
from tanpuhui.foundation.workflow.domain import area_prefix

TEXT_CHARACTERS_MAX = 200


_MATCHING = "select case_id from workflow_casesearch where words @@ %s::tsquery"


class Due(StrEnum):
    """When a case is due, seen from a day."""

    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"
    LATER = "later"
    UNSET = "unset"
    STOPPED = "stopped"


class Held(StrEnum):
    """For whom the present step is held."""

    ME = "me"
    NOBODY = "nobody"
    OTHERS = "others"


class Sort(StrEnum):
    """In which order a list stands."""

    DEADLINE = "deadline"
    WAITING = "waiting"
    NEWEST = "newest"
    OLDEST = "oldest"
    NUMBER = "number"


ORDERS: Mapping[Sort, tuple[str, ...]] = {
    Sort.DEADLINE: ("deadline_day", "entered_at", "id"),
    Sort.WAITING: ("entered_at", "id"),
    Sort.NEWEST: ("-id",),
    Sort.OLDEST: ("id",),
    Sort.NUMBER: ("number",),
}
"""The columns of each order; a case without a deadline comes after those with one, because NULL sorts last."""


CLOCK_STOPPED = Q(
    closed_at__isnull=True,
    process_version__states__code=F("state"),
    process_version__states__clock_stops=True,
)
"""That a running case stands in a state in which its clock stops; a version has each state once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose cases may be seen: those of areas, of organisations, and of one process in an area. Nothing is no case."""

    areas: tuple[str, ...] = ()
    organisation_ids: tuple[int, ...] = ()
    process_areas: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a list is narrowed to; an empty field narrows nothing. `status` is running or closed."""

    text: str = ""
    process: str = ""
    state: str = ""
    area: str = ""
    due: str = ""
    held: str = ""
    status: str = ""
    sort: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Criteria:
        """Return the criteria among the values of a form; other names are left out. Raises Invalid for an unknown choice."""
        criteria = cls(**{f.name: given.get(f.name, "").strip() for f in fields(cls)})
        for name, known in (("due", Due), ("held", Held), ("sort", Sort)):
            value = getattr(criteria, name)
            if value and value not in set(known):
                raise Invalid(field=name, why=f"{value!r} 不是可选项 / is not a choice")
        if criteria.status not in {"", "running", "closed"}:
            raise Invalid(field="status", why="running, closed")
        if len(criteria.text) > TEXT_CHARACTERS_MAX:
            raise Invalid(field="text", why=f"最多 {TEXT_CHARACTERS_MAX} 个字 / at most so many characters")
        return criteria

    def given(self) -> dict[str, str]:
        """Return the fields that narrow or order something, for an address or a saved filter."""
        return {name: value for name, value in asdict(self).items() if value}


def narrowed(criteria: Criteria, *, actor: Actor, at: datetime) -> Q:
    """Return the condition on running cases that the criteria make, but for the text."""
    wanted = Q()
    if criteria.process:
        wanted &= Q(process=criteria.process)
    if criteria.state:
        wanted &= Q(state=criteria.state)
    if criteria.area:
        wanted &= Q(area__startswith=area_prefix(criteria.area))
    if criteria.status:
        wanted &= Q(closed_at__isnull=criteria.status == "running")
    if criteria.due:
        wanted &= _due(Due(criteria.due), business_day(at))
    if criteria.held:
        own = int(actor.id) if actor.kind == "user" else 0
        held = {
            Held.ME: Q(assigned_to=own),
            Held.NOBODY: Q(assigned_to__isnull=True),
            Held.OTHERS: Q(assigned_to__isnull=False) & ~Q(assigned_to=own),
        }
        wanted &= held[Held(criteria.held)]
    return wanted


def found_by(text: str) -> Q:
    """Return the condition that a case has every word of a text; a text without a word finds nothing."""
    query = search_query(text)
    if not query:
        return Q(pk__in=())
    return Q(pk__in=RawSQL(_MATCHING, [query]))  # noqa: S611  a constant


def week_end(day: date) -> date:
    """Return the Sunday of the week in which a day lies."""
    return day + timedelta(days=6 - day.weekday())


def _due(due: Due, today: date) -> Q:
    sunday = week_end(today)
    return {
        Due.OVERDUE: Q(deadline_day__lt=today),
        Due.TODAY: Q(deadline_day=today),
        Due.WEEK: Q(deadline_day__gte=today, deadline_day__lte=sunday),
        Due.LATER: Q(deadline_day__gt=sunday),
        Due.UNSET: Q(deadline_day__isnull=True),
        Due.STOPPED: CLOCK_STOPPED,
    }[due]
