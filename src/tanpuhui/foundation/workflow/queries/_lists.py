"""Filters that people keep, and lists of cases as they leave in a file (常用筛选、导出)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Max, QuerySet

from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.workflow.models import Case, CaseAct, SavedFilter
from tanpuhui.foundation.workflow.queries._criteria import ORDERS, Criteria, Scope, Sort, found_by, narrowed
from tanpuhui.foundation.workflow.queries._inbox import running_versions, waiting_for
from tanpuhui.foundation.workflow.queries._search import in_scope

INBOX, CASES = "inbox", "cases"
PAGES = frozenset({INBOX, CASES})
"""The pages that can be narrowed, kept as a filter, and taken away."""

EXPORT_LINES_MAX = 20_000
AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterView:
    """A filter that a person keeps."""

    filter_id: int
    name: str
    criteria: Criteria


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLine:
    """One case as it leaves in a file."""

    number: str
    process: str
    process_version_id: int
    title: str
    organisation_id: int | None
    area: str
    state: str
    opened_at: datetime
    entered_at: datetime
    deadline_day: date | None
    assigned_to: int | None
    closed_at: datetime | None


def saved_filters(user_id: int, page: str) -> tuple[FilterView, ...]:
    """Return the filters that a person keeps for a page, by name."""
    rows = SavedFilter.objects.filter(user_id=user_id, page=page).order_by("name")
    return tuple(
        FilterView(filter_id=row.pk, name=row.name, criteria=Criteria.of(row.criteria)) for row in rows
    )


def assignments_seen(case_ids: Sequence[int]) -> Mapping[int, int]:
    """Return the newest assignment of the present step of each of these cases that has one."""
    rows = CaseAct.objects.filter(case_id__in=case_ids, kind="assign", step=F("case__step"))
    return dict(rows.values("case_id").annotate(newest=Max("id")).values_list("case_id", "newest"))


def count_export(*, page: str, scope: Scope, actor: Actor, at: datetime, criteria: Criteria) -> int:
    """Return how many cases of a list there are, however many leave."""
    return _listed(page, scope=scope, actor=actor, at=at, criteria=criteria).count()


def export_lines(
    *, page: str, scope: Scope, actor: Actor, at: datetime, criteria: Criteria
) -> Iterator[ExportLine]:
    """Yield the cases of a list as a person sees it, in its order, at most EXPORT_LINES_MAX; read as they are taken."""
    first = Sort.DEADLINE if page == INBOX else Sort.NEWEST
    order = [
        F(column).asc(nulls_last=True) if column == "deadline_day" else column
        for column in ORDERS[Sort(criteria.sort or first)]
    ]
    rows = _listed(page, scope=scope, actor=actor, at=at, criteria=criteria).order_by(*order)
    columns = (
        "number", "process", "process_version_id", "title", "organisation_id", "area", "state", "opened_at", "entered_at",
        "deadline_day", "assigned_to_id", "closed_at",
    )  # fmt: skip
    for (
        number, process, version_id, title, organisation_id, area, state, opened_at, entered_at, due, assigned_to, closed_at,
    ) in rows.values_list(*columns)[:EXPORT_LINES_MAX].iterator(chunk_size=AT_ONCE):  # fmt: skip
        yield ExportLine(
            number=number,
            process=process,
            process_version_id=version_id,
            title=title,
            organisation_id=organisation_id,
            area=area,
            state=state,
            opened_at=opened_at,
            entered_at=entered_at,
            deadline_day=due,
            assigned_to=assigned_to,
            closed_at=closed_at,
        )


def _listed(page: str, *, scope: Scope, actor: Actor, at: datetime, criteria: Criteria) -> QuerySet[Case]:
    """Return what a page lists: what waits for the actor, or what they may see."""
    rows = waiting_for(actor, running_versions()) if page == INBOX else in_scope(scope)
    rows = rows.filter(narrowed(criteria, actor=actor, at=at))
    return rows.filter(found_by(criteria.text)) if criteria.text else rows
