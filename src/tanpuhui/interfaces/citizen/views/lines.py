"""Why a line of the statement is there, the points by their last day, and the statement as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.queries import EntryView
from tanpuhui.foundation.kernel.calendar import Month, business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.interfaces.citizen.line_words import (
    CREDITED,
    EXCEPTION,
    EXPIRY,
    RECALCULATED,
    SETTLED,
    line_name,
    line_reason,
)
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, locale, page
from tanpuhui.interfaces.citizen.rows import icon_of, record_row, record_url, scenario_names
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Fact, RecordRow

BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheets read the file as UTF-8 by it."""


@require_safe
@account_needed
def line(request: HttpRequest, day: str, journal: int) -> HttpResponse:
    """Explain one of the person's own lines: what it is, why it is there, and the records or corrections behind it."""
    _, user_id = acting(request)
    found = accounts.line(user_id, day=_day(day), journal_id=journal)
    context = {
        "line": found,
        "name": line_name(found.kind),
        "reason": line_reason(found.kind),
        "rows": _rows(found),
        "said": _said(found),
        "facts": _facts(found),
    }
    back = reverse("citizen:records") + f"?month={Month.of(found.day)}"
    return page(
        request, "citizen/line.html", context, section="home", title=gettext("这一笔怎么来的"), back=back
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound(what=gettext("日期"), id=text) from error


def _rows(found: EntryView) -> list[RecordRow]:
    """Return the records behind a line: those a posting credited, or those taken back or given back."""
    names = scenario_names()
    records = activity.records_of_account(
        account_id=found.account_id, first_day=found.day, last_day=found.day
    )
    if found.kind == CREDITED:
        number = int(found.reference.split(":")[1])
        return [record_row(one, names) for one in records if one.posting_id == number]
    if found.kind != EXCEPTION:
        return []
    addresses = {(one.posting_id, one.row): record_url(one) for one in records}
    run = int(found.reference.split(":")[1])
    return [
        RecordRow(
            names.get(one.scenario, one.scenario),
            one.grams,
            "refused" if one.excluded else "posted",
            gettext("已冲回") if one.excluded else gettext("已恢复"),
            one.text(locale()),
            icon_of(one.scenario),
            addresses.get((one.posting_id, one.row), ""),
        )
        for one in activity.exceptions_of_account(
            account_id=found.account_id, first_day=found.day, last_day=found.day
        )
        if one.run_id == run
    ]


def _said(found: EntryView) -> list[str]:
    """Return what a line's own cause says: the reason of a recalculation, the corrections that a line pays off."""
    if found.kind == RECALCULATED:
        number = activity.recalculation_of_journal(kind=found.kind, reference=found.reference)
        return (
            [gettext("原因：%(reason)s") % {"reason": activity.recalculation(number).reason}]
            if number
            else []
        )
    if found.kind != SETTLED:
        return []
    history = [one for one in ledger.clawbacks(found.account_id) if one.journal_id <= found.journal_id]
    causes = [
        gettext("%(day)s %(what)s，当时没收回 %(amounts)s。")
        % {
            "day": f"{figures.local_day(one.at):%Y-%m-%d}",
            "what": line_name(one.kind),
            "amounts": _amounts(one.grams, one.points),
        }
        for one in history
        if one.kind != SETTLED
    ]
    left = Grams.total(one.grams for one in history), Points.total(one.points for one in history)
    if not left[0] and not left[1]:
        return [*causes, gettext("这一次抵扣后已经还清。")]
    return [*causes, gettext("这一次抵扣后还剩 %(amounts)s 待追回。") % {"amounts": _amounts(*left)}]


def _amounts(grams: Grams, points: Points) -> str:
    """Write grams and points in a sentence, each where there is some."""
    parts = []
    if grams:
        parts.append(f"{figures.plain(figures.exact(grams))} g")
    if points:
        parts.append(f"{figures.plain(figures.exact(points))} {figures.points_unit(points.value)}")
    return gettext("、").join(parts)


def _facts(found: EntryView) -> list[Fact]:
    facts = [
        Fact(gettext("归属日期"), f"{found.day:%Y-%m-%d}"),
        Fact(gettext("记账时间"), f"{timezone.localtime(found.at):%Y-%m-%d %H:%M}"),
    ]
    if found.kind == EXPIRY:
        facts.append(Fact(gettext("哪天到期"), gettext("看我的积分"), reverse("citizen:points")))
    facts.append(Fact(gettext("凭证号"), str(found.journal_id), mono=True))
    return facts


@require_safe
@account_needed
def points(request: HttpRequest) -> HttpResponse:
    """Show which of the person's points lapse when: first in, first out."""
    _, user_id = acting(request)
    held = accounts.points_held(user_id, at=timezone.now())
    account = accounts.account_of_user(user_id)
    context = {
        "held": held,
        "due": ledger.clawback_due(account.ledger_account_id)[1],
        "freeze": accounts.freeze_of_user(user_id, at=timezone.now()),
    }
    back = reverse("citizen:home")
    return page(request, "citizen/points.html", context, section="home", title=gettext("我的积分"), back=back)


@require_safe
@account_needed
def statement_file(request: HttpRequest) -> HttpResponse:
    """Send a month (`month=2026-11`) or a year (`year=2026`) of the person's lines as CSV with running balances."""
    _, user_id = acting(request)
    first_day, last_day, name = _span(request)
    head = (
        gettext("日期"), gettext("类别"), gettext("减排量（g）"), gettext("积分"), gettext("记录数"),
        gettext("余额（g）"), gettext("积分余额"), gettext("凭证号"), gettext("记账时间"),
    )  # fmt: skip
    # Words are the platform's own and the rest are numbers and moments, so that no cell can be a formula of somebody's.
    body = [
        (
            f"{one.entry.day:%Y-%m-%d}", line_name(one.entry.kind), one.entry.grams.value, one.entry.points.value,
            one.entry.n_records, one.balance_grams.value, one.balance_points.value, one.entry.journal_id,
            f"{timezone.localtime(one.entry.at):%Y-%m-%d %H:%M:%S}",
        )
        for one in accounts.lines(user_id, first_day=first_day, last_day=last_day)
    ]  # fmt: skip
    response = HttpResponse(_csv((head, *body)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="statement-{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _span(request: HttpRequest) -> tuple[date, date, str]:
    """Return first and last day of the month or year asked for, and its name; this month where nothing is asked."""
    if year := request.GET.get("year", ""):
        try:
            return date(int(year), 1, 1), date(int(year), 12, 31), f"{int(year)}"
        except ValueError as error:
            raise Invalid(field="year", why=str(error)) from error
    if text := request.GET.get("month", ""):
        try:
            month = Month.parse(text)
        except ValueError as error:
            raise Invalid(field="month", why=str(error)) from error
    else:
        month = Month.of(business_day(timezone.now()))
    return month.first_day, month.last_day, str(month)


def _csv(rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    csv.writer(out).writerows(rows)
    return out.getvalue()
