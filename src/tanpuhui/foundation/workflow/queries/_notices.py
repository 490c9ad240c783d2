"""Public notices as pages show them, and which of them wait for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    ANSWERING_ROLES,
    NoticeState,
    answering_grant,
    answering_roles,
    area_prefix,
    leaving,
    notice_state,
)
from tanpuhui.foundation.workflow.models import Case, Decision, Notice, NoticeComment, NoticeExtension
from tanpuhui.foundation.workflow.queries._views import Versions

NOTICES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDocument:
    """An attachment published with a notice, as it was when the notice opened; `size` in bytes."""

    kind: str
    name: str
    version: int
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeExtensionView:
    """A later last day, and why."""

    working_days: int
    closes_on: date
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWay:
    """One way out of a notice: who takes it, and where it leads."""

    role: str
    label_zh: str
    label_en: str
    target_zh: str
    target_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """One notice as everybody may see it. Comments are counted only: what is in them is another read.

    `closes_on` is the last day first announced, `last_day` the one that holds (later where it was extended), and
    `days_left` the working days after today up to it. `waiting` are objections without an answer, `upheld` those found
    right; both stop the case. `result` is what was decided when it closed.
    """

    notice_id: int
    case_id: int
    number: str
    process: str
    process_zh: str
    process_en: str
    subject_type: str
    subject_id: str
    title: str
    area: str
    organisation_id: int | None
    step_zh: str
    step_en: str
    state: NoticeState
    working_days: int
    days_basis: str
    days_confidence: str
    opens_on: date
    closes_on: date
    last_day: date
    days_left: int
    extensions: tuple[NoticeExtensionView, ...]
    opened_at: datetime
    closed_at: datetime | None
    result: str
    result_en: str
    documents: tuple[NoticeDocument, ...]
    comments: int
    objections: int
    answered: int
    withdrawn: int
    waiting: int
    upheld: int
    answering_roles: frozenset[Role]
    ways: tuple[NoticeWay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePage:
    """Some notices, and how many there are in each state under the same filters."""

    notices: tuple[NoticeView, ...]
    counts: Mapping[NoticeState, int]
    total: int


def last_day_of(row: Notice) -> date:
    """Return the last day on which a notice takes comments: the one first announced, or a later one."""
    return max([row.closes_on, *(extension.closes_on for extension in row.extensions.all())])


def notice(notice_id: int, *, at: datetime) -> NoticeView:
    """Return one notice; raises NotFound."""
    row = _rows().filter(pk=notice_id).first()
    if row is None:
        raise NotFound(what="公示 / notice", id=notice_id)
    return _views([row], at=at)[0]


def notices_of(case_id: int, *, at: datetime) -> tuple[NoticeView, ...]:
    """Return the notices of a case, the newest first."""
    return _views(_rows().filter(case_id=case_id).order_by("-id"), at=at)


def notices(
    *,
    at: datetime,
    state: NoticeState | None = None,
    process: str = "",
    areas: Sequence[str] | None = None,
    offset: int = 0,
    limit: int = 50,
) -> NoticePage:
    """Return notices, the running ones first by their last day, the others newest first; None of areas means all."""
    wanted = Q()
    if process:
        wanted &= Q(case__process=process)
    if areas is not None:
        inside = Q(pk__in=())
        for area in areas:
            inside |= Q(case__area__startswith=area_prefix(area))
        wanted &= inside
    today = business_day(at)
    found = Notice.objects.filter(wanted)
    counts = {one: _in_state(found, one, today=today).count() for one in NoticeState}
    rows = _rows().filter(wanted)
    if state is not None:
        rows = _in_state(rows, state, today=today)
    order = ("last_day", "id") if state == NoticeState.RUNNING else ("-opens_on", "-id")
    shown = _with_last_day(rows).order_by(*order)[offset : offset + min(limit, NOTICES_MAX)]
    total = sum(counts.values()) if state is None else counts[state]
    return NoticePage(notices=_views(shown, at=at), counts=counts, total=total)


def notice_processes() -> tuple[tuple[str, str, str], ...]:
    """Return the processes of which there was a notice: code, Chinese and English name by the newest version."""
    newest = Notice.objects.values("case__process").annotate(version=Max("case__process_version"))
    versions = Versions()
    return tuple(
        (row["case__process"], versions[row["version"]].label_zh, versions[row["version"]].label_en)
        for row in newest.order_by("case__process")
    )


def notice_areas() -> tuple[str, ...]:
    """Return the areas (GB/T 2260) of which there was a notice, in order."""
    return tuple(Notice.objects.order_by("case__area").values_list("case__area", flat=True).distinct())


def may_answer(actor: Actor, view: NoticeView) -> bool:
    """Say whether the actor answers the comments of a notice and may extend it."""
    return answering_grant(actor, roles=view.answering_roles, area=view.area) is not None


def notices_waiting(actor: Actor, *, at: datetime, limit: int = 50) -> tuple[NoticeView, ...]:
    """Return open notices with an objection that the actor may answer, or one found right that stops the case."""
    areas = {grant.area for grant in actor.grants if grant.role in ANSWERING_ROLES}
    if not areas:
        return ()
    inside = Q(pk__in=())
    for area in sorted(areas):
        inside |= Q(case__area__startswith=area_prefix(area))
    stopping = NoticeComment.objects.filter(
        notice=OuterRef("pk"), objection=True, withdrawal__isnull=True, answer__isnull=True
    )
    rows = _rows().filter(inside, Exists(stopping), closed_at__isnull=True).order_by("closes_on", "id")
    views = _views(rows[: min(limit, NOTICES_MAX)], at=at)
    return tuple(view for view in views if may_answer(actor, view))


def reckoned_last_day(view: NoticeView) -> date | None:
    """Return the last day that today's holiday table would give; None while it cannot be reckoned.

    It differs from `closes_on` where a holiday was entered after the notice opened: the announced day stands.
    """
    try:
        return rulebook.add_working_days(view.opens_on, view.working_days)
    except rulebook.HolidaysUnset:
        return None


def _rows() -> QuerySet[Notice]:
    open_comments = Q(comments__withdrawal__isnull=True)
    objection = Q(comments__objection=True) & open_comments
    return (
        Notice.objects.select_related("case")
        .prefetch_related("extensions")
        .annotate(
            n_comments=Count("comments", filter=open_comments),
            n_objections=Count("comments", filter=objection),
            n_answered=Count("comments", filter=open_comments & Q(comments__answer__isnull=False)),
            n_withdrawn=Count("comments", filter=Q(comments__withdrawal__isnull=False)),
            n_waiting=Count("comments", filter=objection & Q(comments__answer__isnull=True)),
            n_upheld=Count("comments", filter=objection & Q(comments__answer__upheld=True)),
        )
    )


def _with_last_day(rows: QuerySet[Notice]) -> QuerySet[Notice]:
    extended = (
        Notice.objects.filter(pk=OuterRef("pk")).values("pk").annotate(day=Max("extensions__closes_on"))
    )
    return rows.annotate(
        last_day=Greatest(F("closes_on"), Coalesce(extended.values("day")[:1], F("closes_on")))
    )


def _in_state(rows: QuerySet[Notice], state: NoticeState, *, today: date) -> QuerySet[Notice]:
    """Return the rows in a state: the SQL twin of `notice_state`."""
    if state == NoticeState.ENDED:
        return rows.filter(closed_at__isnull=False)
    put_off = NoticeExtension.objects.filter(notice=OuterRef("pk"), closes_on__gte=today)
    runs = Q(closes_on__gte=today) | Exists(put_off)
    return rows.filter(runs if state == NoticeState.RUNNING else ~runs, closed_at__isnull=True)


def _views(rows: Sequence[Notice] | QuerySet[Notice], *, at: datetime) -> tuple[NoticeView, ...]:
    found = list(rows)
    if not found:
        return ()
    versions, today = Versions(), business_day(at)
    last_days = {row.pk: last_day_of(row) for row in found}
    ahead = {day for day in last_days.values() if day >= today}
    left = rulebook.days_left(ahead, today=today)
    states = _states_of(found)
    return tuple(
        _view(
            row,
            version=versions[row.case.process_version_id],
            state_code=states.get((row.case_id, row.step), row.case.state),
            last_day=last_days[row.pk],
            days_left=left.get(last_days[row.pk], 0),
            at=at,
        )
        for row in found
    )


def _states_of(rows: Sequence[Notice]) -> dict[tuple[int, int], str]:
    """Return the state in which each notice was or is: where the decision of its step led."""
    wanted = Decision.objects.filter(case_id__in={row.case_id for row in rows})
    return {
        (case_id, step): state for case_id, step, state in wanted.values_list("case_id", "step", "to_state")
    }


def _view(
    row: Notice,
    *,
    version: rulebook.ProcessVersion,
    state_code: str,
    last_day: date,
    days_left: int,
    at: datetime,
) -> NoticeView:
    case: Case = row.case
    counts = {
        name.removeprefix("n_"): int(value) for name, value in vars(row).items() if name.startswith("n_")
    }
    step = version.state(state_code)
    return NoticeView(
        notice_id=row.pk,
        case_id=case.pk,
        number=case.number,
        process=case.process,
        process_zh=version.label_zh,
        process_en=version.label_en,
        subject_type=case.subject_type,
        subject_id=case.subject_id,
        title=row.title,
        area=case.area,
        organisation_id=case.organisation_id,
        step_zh=step.label_zh,
        step_en=step.label_en,
        state=notice_state(last_day=last_day, closed_at=row.closed_at, at=at),
        working_days=row.working_days,
        days_basis=row.days_basis,
        days_confidence=row.days_confidence,
        opens_on=row.opens_on,
        closes_on=row.closes_on,
        last_day=last_day,
        days_left=days_left,
        extensions=tuple(
            NoticeExtensionView(
                working_days=one.working_days, closes_on=one.closes_on, reason=one.reason, at=one.at
            )
            for one in sorted(row.extensions.all(), key=lambda one: one.closes_on)
        ),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        result=row.result,
        result_en=row.result_en or row.result,
        documents=tuple(NoticeDocument(**document) for document in row.documents),
        answering_roles=answering_roles(version.transitions, state_code),
        ways=_ways(version, state_code),
        **counts,
    )


def _ways(version: rulebook.ProcessVersion, state_code: str) -> tuple[NoticeWay, ...]:
    targets = {state.code: state for state in version.states}
    return tuple(
        NoticeWay(
            role=way.role,
            label_zh=way.label_zh,
            label_en=way.label_en,
            target_zh=targets[way.target].label_zh,
            target_en=targets[way.target].label_en,
        )
        for way in leaving(version.transitions, state_code)
    )
