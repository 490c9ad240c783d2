"""Reads of the rules: the jurisdiction's names, parameters of a day, regions, processes, working days."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import domain, models
from tanpuhui.foundation.rulebook.adapters.jurisdiction_folder import read_jurisdiction
from tanpuhui.foundation.rulebook.adapters.placed_yaml import Placed, read_yaml
from tanpuhui.foundation.rulebook.domain import (
    HolidaysUnset,
    Jurisdiction,
    JurisdictionInvalid,
    NumberedDay,
    ParameterUnset,
    ProcessUnknown,
    RuleInForce,
    SubCentre,
    UnitName,
)

__all__ = [
    "Ask",
    "HolidayView",
    "HolidaysUnset",
    "Jurisdiction",
    "JurisdictionInvalid",
    "NumberedDay",
    "ParameterUnset",
    "ParameterValue",
    "Placed",
    "ProcessUnknown",
    "ProcessVersion",
    "RegionView",
    "RuleInForce",
    "State",
    "SubCentre",
    "Transition",
    "UnitName",
    "add_working_days",
    "breaches",
    "holidays",
    "jurisdiction",
    "numbered_days",
    "parameter",
    "parameters",
    "process_by_id",
    "process_names",
    "process_version",
    "processes_by_ids",
    "processes_named",
    "read_jurisdiction",
    "read_yaml",
    "region",
    "region_names",
    "regions",
    "require_parameter",
    "working_days_between",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterValue:
    """A rule parameter on a day; `value` is exact text, None where unset. `confidence` is its evidence tag."""

    key: str
    scope: str
    value: str | None
    unit: str
    basis: str
    confidence: str
    note: str
    pack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionView:
    """An area by its GB/T 2260 code; `valid_to` is the first day on which the code no longer holds."""

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayView:
    """A day that differs from its weekday: free, or worked though a weekend."""

    day: date
    works: bool
    name_zh: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of a process version; a final one has no way out.

    In one with `clock_stops` the case's clock stands still; one with `notice` is a public notice of so many working
    days, or as many as the parameter `notice_parameter` says; None where whoever brings the case there decides.
    `notice_publishes` are the kinds of attachment published with it.
    """

    code: str
    label_zh: str
    label_en: str
    initial: bool
    final: bool
    clock_stops: bool
    notice: bool
    notice_working_days: int | None
    notice_basis: str
    notice_confidence: str = ""
    notice_parameter: str = ""
    notice_publishes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A value that the decider enters with a decision: `kind` is day, number or text."""

    name: str
    label_zh: str
    label_en: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A way from one state to another; `two_person` names the earlier outcome that another person must have decided.

    `guards` must pass, attachments of every kind in `evidence` must be there, and `asks` be answered. An `independent` one
    is for somebody who decided nothing in the case that this one is about; `document` is the kind of letter it produces.
    """

    source: str
    target: str
    outcome: str
    role: str
    two_person: str | None
    label_zh: str
    label_en: str
    deadline_working_days: int | None
    guards: tuple[str, ...]
    evidence: tuple[str, ...]
    asks: tuple[Ask, ...]
    deadline_basis: str = ""
    independent: bool = False
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessVersion:
    """A version of a life-cycle, as a case pins it; its deadline is that of the whole case."""

    id: int
    process: str
    version: int
    label_zh: str
    label_en: str
    valid_from: date
    initial_state: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    deadline_working_days: int | None
    deadline_basis: str = ""

    def state(self, code: str) -> State:
        """Return a state by its code; raises LookupError."""
        return next(state for state in self.states if state.code == code)


def jurisdiction() -> Jurisdiction:
    """Return the names and codes of the jurisdiction this platform serves. Raises JurisdictionInvalid."""
    return read_jurisdiction(Path(settings.TANPUHUI_JURISDICTION_DIR))


def parameter(*, key: str, at: datetime | date, scope: str = "") -> ParameterValue:
    """Return a rule parameter on the business day of `at`, for the scope or else for a wider one, at last for every scope.

    A scope is a path: `bus/tier-4` is narrower than `bus`. The pack of the highest rank that speaks of the narrower scope decides; a parameter that no pack names, or that is
    unset, has the value None and is never replaced by a guess.
    """
    day = _day(at)
    rows = models.Parameter.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day),
        key=key,
        scope__in=_and_wider(scope),
        valid_from__lte=day,
    )
    row = max(rows, key=lambda found: (found.rank, len(found.scope)), default=None)
    if row is None:
        note = "没有规则写明 / no rule pack names it"
        return ParameterValue(
            key=key,
            scope=scope,
            value=None,
            unit="",
            basis="",
            confidence="NOT ESTABLISHED",
            note=note,
            pack="",
        )
    return ParameterValue(
        key=key,
        scope=scope,
        value=row.value,
        unit=row.unit,
        basis=row.basis,
        confidence=row.confidence,
        note=row.note,
        pack=row.pack,
    )


def _and_wider(scope: str) -> tuple[str, ...]:
    """Return a scope and every wider one: the beginnings of its path, and the empty one."""
    parts = scope.split("/") if scope else []
    return tuple("/".join(parts[:n]) for n in range(len(parts), -1, -1))


def require_parameter(*, key: str, at: datetime | date, scope: str = "") -> ParameterValue:
    """Return a rule parameter that has a value; raises ParameterUnset, which names it and who decides."""
    found = parameter(key=key, at=at, scope=scope)
    if found.value is None:
        raise ParameterUnset(
            key=key,
            scope=scope,
            scope_text=f"［{scope}］" if scope else "",
            day=_day(at).isoformat(),
            note="; ".join(part for part in (found.confidence, found.note) if part),
        )
    return found


def parameters(*, at: datetime | date) -> tuple[ParameterValue, ...]:
    """Return every parameter that some pack names on that day, by key and scope, unset ones too (the rules page)."""
    day = _day(at)
    named = (
        models.Parameter.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)
        .order_by("key", "scope", "rank")
        .values_list("key", "scope", "value", "unit", "basis", "confidence", "note", "pack")
    )
    last: dict[tuple[str, str], ParameterValue] = {}
    for key, scope, value, unit, basis, confidence, note, pack in named:
        last[key, scope] = ParameterValue(
            key=key,
            scope=scope,
            value=value,
            unit=unit,
            basis=basis,
            confidence=confidence,
            note=note,
            pack=pack,
        )
    return tuple(last.values())


def region(code: str, *, at: datetime | date | None = None) -> RegionView:
    """Return an area by code, as of a day, or its newest row; raises NotFound."""
    rows = models.Region.objects.filter(code=code)
    if at is not None:
        rows = _regions_in_force(_day(at)).filter(code=code)
    row = max(rows, key=lambda found: found.valid_from or date.min, default=None)
    if row is None:
        raise NotFound(what="行政区划 region", id=code)
    return _region_view(row)


def region_names(codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the Chinese and the English name of each of these areas that has one today (one query)."""
    rows = models.Region.objects.filter(code__in=codes, valid_to__isnull=True)
    return {code: (zh, en) for code, zh, en in rows.values_list("code", "name_zh", "name_en")}


def regions(
    *, level: str, parent: str | None = None, at: datetime | date | None = None
) -> tuple[RegionView, ...]:
    """Return the areas of a level (province, city, county) in the order of their codes, inside a parent if given.

    Without `at` only those without an end are returned: the areas of today.
    """
    rows = models.Region.objects.filter(valid_to__isnull=True) if at is None else _regions_in_force(_day(at))
    rows = rows.filter(level=level)
    if parent is not None:
        rows = rows.filter(parent=parent)
    return tuple(_region_view(row) for row in rows.order_by("code"))


def process_version(*, process: str, at: datetime | date) -> ProcessVersion:
    """Return the version of a process for cases opened on that day: the latest in force. Raises ProcessUnknown."""
    day = _day(at)
    row = (
        models.ProcessVersion.objects.filter(process=process, valid_from__lte=day)
        .order_by("-valid_from", "-version")
        .first()
    )
    if row is None:
        raise ProcessUnknown(process=process, day=day.isoformat())
    return process_by_id(row.id)


def process_names() -> tuple[str, ...]:
    """Return the processes that have a version, by name."""
    return tuple(
        models.ProcessVersion.objects.order_by("process").values_list("process", flat=True).distinct()
    )


def process_by_id(version_id: int) -> ProcessVersion:
    """Return a process version by identifier; raises NotFound. Versions never change, but a test's may vanish."""
    found = processes_by_ids([version_id])
    if version_id not in found:
        raise NotFound(what="流程版本 process version", id=version_id)
    return found[version_id]


def processes_by_ids(version_ids: Collection[int]) -> dict[int, ProcessVersion]:
    """Return those of these process versions that exist, by identifier (three queries, however many)."""
    rows = models.ProcessVersion.objects.prefetch_related("states", "transitions").filter(id__in=version_ids)
    return {row.id: _process_of(row) for row in rows}


def processes_named(processes: Collection[str]) -> dict[int, ProcessVersion]:
    """Return every version of these processes, by identifier (three queries)."""
    rows = models.ProcessVersion.objects.prefetch_related("states", "transitions").filter(
        process__in=processes
    )
    return {row.id: _process_of(row) for row in rows}


def _process_of(row: models.ProcessVersion) -> ProcessVersion:
    transitions = sorted(row.transitions.all(), key=lambda found: found.position)
    states = sorted(row.states.all(), key=lambda found: found.position)
    sources = {transition.source for transition in transitions}
    return ProcessVersion(
        id=row.id,
        process=row.process,
        version=row.version,
        label_zh=row.label_zh,
        label_en=row.label_en,
        valid_from=row.valid_from,
        initial_state=next(state.code for state in states if state.initial),
        states=tuple(
            State(
                code=state.code,
                label_zh=state.label_zh,
                label_en=state.label_en,
                initial=state.initial,
                final=state.code not in sources,
                clock_stops=state.clock_stops,
                notice=state.notice,
                notice_working_days=state.notice_working_days,
                notice_basis=state.notice_basis,
                notice_confidence=state.notice_confidence,
                notice_parameter=state.notice_parameter,
                notice_publishes=tuple(state.notice_publishes),
            )
            for state in states
        ),
        transitions=tuple(
            Transition(
                source=found.source,
                target=found.target,
                outcome=found.outcome,
                role=found.role,
                two_person=found.two_person,
                label_zh=found.label_zh,
                label_en=found.label_en,
                deadline_working_days=found.deadline_working_days,
                guards=tuple(found.guards),
                evidence=tuple(found.evidence),
                asks=tuple(Ask(**ask) for ask in found.asks),
                deadline_basis=found.deadline_basis,
                independent=found.independent,
                document=found.document,
            )
            for found in transitions
        ),
        deadline_working_days=row.deadline_working_days,
        deadline_basis=row.deadline_basis,
    )


def holidays(*, year: int) -> tuple[HolidayView, ...]:
    """Return the days of a year that differ from their weekday; none means that nobody has entered the year."""
    rows = models.Holiday.objects.filter(day__year=year).order_by("day")
    return tuple(
        HolidayView(day=row.day, works=row.works, name_zh=row.name_zh, basis=row.basis) for row in rows
    )


def add_working_days(day: date, n: int) -> date:
    """Return the n-th working day after a day by the holiday table; raises HolidaysUnset for a year without entries."""
    rows = models.Holiday.objects.filter(day__year__gte=day.year).values_list("day", "works")
    return domain.add_working_days(day, n, works=dict(rows))


def working_days_between(start: date, end: date) -> int:
    """Return how many working days lie after a day, up to and with another; raises HolidaysUnset."""
    rows = models.Holiday.objects.filter(day__year__gte=start.year, day__year__lte=end.year)
    return domain.working_days_between(start, end, works=dict(rows.values_list("day", "works")))


def numbered_days(first: date, last: date) -> tuple[NumberedDay, ...]:
    """Return the days between two, numbered by working days, but for years without entries (one query)."""
    rows = models.Holiday.objects.filter(day__year__gte=first.year, day__year__lte=last.year)
    return domain.numbered_days(first, last, works=dict(rows.values_list("day", "works")))


def days_left(deadlines: Collection[date], *, today: date) -> dict[date, int]:
    """Return the working days after today up to each deadline; below 0 the calendar days since it passed."""
    latest = max(deadlines, default=today)
    rows = models.Holiday.objects.filter(day__gt=today, day__lte=latest).values_list("day", "works")
    return domain.days_left(deadlines, today=today, works=dict(rows))


def breaches() -> Iterator[Breach]:
    """Report parameters with two values on one day, and areas whose parent is not there."""
    yield from _found(
        "parameter_has_one_value",
        "select a.key || ' [' || a.scope || '] ' || a.pack, a.valid_from || ' / ' || b.valid_from"
        " from rulebook_parameter a join rulebook_parameter b on (a.key, a.scope, a.pack) = (b.key, b.scope, b.pack)"
        " and a.id < b.id and daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)",
    )
    yield from _found(
        "region_has_its_parent",
        "select r.code, r.parent from rulebook_region r where r.parent <> ''"
        " and not exists (select 1 from rulebook_region p where p.code = r.parent)",
    )


def _found(invariant: str, sql: str) -> Iterator[Breach]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for subject, detail in cursor.fetchall():
            yield Breach(invariant=invariant, subject=subject, detail=detail)


def _regions_in_force(day: date) -> QuerySet[models.Region]:
    return models.Region.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=day), Q(valid_to__isnull=True) | Q(valid_to__gt=day)
    )


def _region_view(row: models.Region) -> RegionView:
    return RegionView(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        level=row.level,
        parent=row.parent,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _day(at: datetime | date) -> date:
    return business_day(at) if isinstance(at, datetime) else at
