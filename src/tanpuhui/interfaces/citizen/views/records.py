"""The statement of a month (对账单): days, records, running balances, and that they agree with the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView, SetAsideView
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.queries import AppealState, AppealView, Statement, StatementDay
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.queries import EntryView
from tanpuhui.foundation.kernel.calendar import Month, business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.interfaces.citizen.line_words import CHANGES, COUPON, CREDITED, line_name
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, in_english, page
from tanpuhui.interfaces.citizen.rows import icon_of, not_counted_words, record_row, scenario_names
from tanpuhui.interfaces.citizen.views.appeals import state_words
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A line of the ledger that is not a record: what it was, and what it did to grams and points."""

    label: str
    detail: str
    grams: Grams
    points: Points
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unposted:
    """A record that gave nothing yet, or nothing at all: what it was, when, and why or until when."""

    label: str
    detail: str
    icon: str
    words: str
    why: str = ""
    appeal: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShown:
    """A day of the statement: its records, its other movements, its sums and its balances."""

    day: StatementDay
    records: tuple[RecordRow, ...]
    movements: tuple[Movement, ...]


@require_safe
@account_needed
def records(request: HttpRequest) -> HttpResponse:
    """Show a month of the person's account."""
    _, user_id = acting(request)
    today = business_day(timezone.now())
    month = _month(request.GET.get("month", ""), today)
    statement = accounts.statement(user_id, month)
    account_id = statement.account.ledger_account_id
    found = activity.records_of_account(
        account_id=account_id, first_day=month.first_day, last_day=month.last_day
    )
    context = _totals(statement, found) | {
        "statement": statement,
        "month": month,
        "month_name": f"{month.first_day:%B %Y}" if in_english() else f"{month.year} 年 {month.month} 月",
        "previous": str(Month.of(month.first_day - timedelta(days=1))),
        "next": str(Month.of(month.last_day + timedelta(days=1))) if month.last_day < today else "",
        "days": _days(statement, found),
        "waiting": _waiting(account_id, month),
        "set_aside": _set_aside(user_id, account_id, month),
        "recalculated": _recalculated(statement),
        "due": ledger.clawback_due(account_id)[1],
    }
    back = reverse("citizen:home")
    return page(
        request, "citizen/records.html", context, section="home", title=gettext("减排记录"), back=back
    )


def _month(text: str, today: date) -> Month:
    if not text:
        return Month.of(today)
    try:
        return Month.parse(text)
    except ValueError as error:
        raise Invalid(field="month", why=str(error)) from error


def _totals(statement: Statement, found: tuple[RecordView, ...]) -> dict[str, Any]:
    """Add up the month, and compare the records with what the ledger credited for records."""
    lines = [line for day in statement.days for line in day.lines]
    again = [line for line in lines if line.kind in CHANGES]
    own = [line for line in lines if line.kind not in CHANGES]
    credited = Grams.total(line.grams for line in lines if line.kind == CREDITED)
    listed = Grams.total(record.grams + record.floor for record in found)
    return {
        "grams": statement.closing.grams - statement.opening.grams,
        "grams_in": Grams.total(line.grams for line in own),
        "points_in": Points.total(line.points for line in own if line.points > Points(0)),
        "points_out": -Points.total(line.points for line in own if line.points < Points(0)),
        "changed": bool(again),
        "recalculated_grams": Grams.total(line.grams for line in again),
        "recalculated_points": Points.total(line.points for line in again),
        "records_total": len(found),
        "listed": listed,
        "credited": credited,
        "agrees": listed == credited,
    }


def _recalculated(statement: Statement) -> list[str]:
    """Explain each recalculation of the month in one sentence: what was updated, and what it changed for this person."""
    changes: dict[int, tuple[Grams, Points]] = {}
    for line in (line for day in statement.days for line in day.lines):
        number = activity.recalculation_of_journal(kind=line.kind, reference=line.reference)
        if number is not None:
            grams, points = changes.get(number, (Grams(0), Points(0)))
            changes[number] = (grams + line.grams, points + line.points)
    names = scenario_names()
    said = []
    for number, (grams, points) in sorted(changes.items()):
        view = activity.recalculation(number)
        said.append(
            gettext(
                "方法学更新：%(scenario)s按新版本重算，这个月 %(grams)s g、%(points)s 分。原因：%(reason)s"
            )
            % {
                "scenario": names.get(view.scenario, view.scenario),
                "grams": _signed(grams),
                "points": _signed(points),
                "reason": view.reason,
            }
        )
    return said


def _signed(value: Grams | Points) -> str:
    written = figures.plain(figures.exact(value))
    return f"+{written}" if value.value > 0 else written


def _days(statement: Statement, found: tuple[RecordView, ...]) -> tuple[DayShown, ...]:
    names = scenario_names()
    of_day: dict[date, list[RecordRow]] = {}
    for record in found:
        rows = of_day.setdefault(record.day, [])
        rows.append(record_row(record, names))
        if record.floor:
            label = gettext("这一天不低于 0")
            rows.append(RecordRow(label, record.floor, "posted", gettext("已入账"), icon="scales"))
    return tuple(
        DayShown(
            day=day,
            records=tuple(of_day.get(day.day, ())),
            movements=tuple(_movements(day)),
        )
        for day in reversed(statement.days)
    )


def _waiting(account_id: int, month: Month) -> list[Unposted]:
    """Return what waits: for its settlement, with the day of it, or for a review, with what is unusual."""
    names = scenario_names()
    unusual = {
        "IMPLAUSIBLE_PLACE": gettext("短时间里出现在另一座城市"),
        "IMPLAUSIBLE_SPEED": gettext("速度特别快"),
        "IMPLAUSIBLE_DISTANCE": gettext("距离特别长"),
        "IMPLAUSIBLE_FREQUENCY": gettext("这一天的次数特别多"),
    }
    return [
        Unposted(
            label=names.get(one.scenario, one.scenario),
            detail=f"{one.started_at:%m-%d %H:%M}",
            icon=icon_of(one.scenario),
            words=gettext("复核中")
            if one.settles_on is None
            else gettext("%(day)s 结算") % {"day": f"{one.settles_on:%m-%d}"},
            why=unusual.get(one.held_for, one.held_for) if one.settles_on is None else "",
        )
        for one in activity.waiting_of_account(account_id)
        if Month.of(one.day) == month
    ]


def _set_aside(user_id: int, account_id: int, month: Month) -> list[Unposted]:
    """Return what was not counted after the comparison with other sources, each with its reason."""
    names = scenario_names()
    appealed = {(one.set_aside_id, one.row): one for one in reversed(accounts.appeals_of_user(user_id))}
    return [
        Unposted(
            label=names.get(one.scenario, one.scenario),
            detail=f"{one.started_at:%m-%d %H:%M}" if one.started_at else f"{one.day:%m-%d}",
            icon=icon_of(one.scenario),
            words=not_counted_words(one.reason),
            appeal=_appeal(one, appealed.get((one.waiting_id, one.row))),
        )
        for one in activity.set_aside_of_account(
            account_id=account_id, first_day=month.first_day, last_day=month.last_day
        )
        if not one.readmitted
    ]


def _appeal(one: SetAsideView, view: AppealView | None) -> tuple[str, str]:
    """Return what the person can do about it: words and address; nothing once its traces are erased."""
    if view is not None and view.state is not AppealState.WITHDRAWN:
        return gettext("申诉：%(state)s") % {"state": state_words(view.state)[1]}, reverse(
            "citizen:appeal", args=(view.id,)
        )
    if one.started_at is None:
        return "", ""
    return gettext("有异议，申诉"), reverse("citizen:appeal-not-counted", args=(one.waiting_id, one.row))


def _movements(day: StatementDay) -> list[Movement]:
    return [
        Movement(
            label=line_name(line.kind),
            detail=line.reference if line.kind.startswith(COUPON) else "",
            grams=line.grams if line.kind in CHANGES else Grams(0),
            points=line.points,
            url=_line_url(line),
        )
        for line in day.lines
        if line.kind != CREDITED and (line.points or line.kind in CHANGES)
    ]


def _line_url(line: EntryView) -> str:
    """Return where a line explains itself; a coupon does it on its own page."""
    if line.kind.startswith(COUPON):
        return reverse("citizen:coupon", args=(line.reference,))
    return reverse("citizen:line", args=(line.day.isoformat(), line.journal_id))
