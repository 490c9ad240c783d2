"""The first page: this month in the water, points, account and coupons, the latest records; and opening the account."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_account
from tanpuhui.behaviour.carbon_accounts.queries import HomeView
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.interfaces.citizen.consent_texts import ACCOUNT_TEXT, account_template
from tanpuhui.interfaces.citizen.navigation import acting, page, said
from tanpuhui.interfaces.citizen.rows import receipt, record_row, scenario_names
from tanpuhui.interfaces.citizen.views import admissions
from tanpuhui.interfaces.citizen.wallet import usable
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Door, Ledger
from tanpuhui.uses.rewards import queries as rewards

ROWS_SHOWN = 8
ROWS_OF_ELDERS = 4
DROPS_SHOWN = 5
DROP_DAYS = 2


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show where the person stands; without a carbon account, what opening one means."""
    at = timezone.now()
    _, user_id = acting(request)
    try:
        view = accounts.home(user_id, at=at)
    except accounts.NoCarbonAccount:
        context = {
            "text": account_template(),
            "text_version": ACCOUNT_TEXT,
            "waiting": admissions.waiting(user_id, at=at),
        }
        return page(request, "citizen/open_account.html", context, section="home")
    return page(request, "citizen/home.html", _home_context(view, user_id, at), section="home")


@require_POST
def open_account(request: HttpRequest) -> HttpResponse:
    """Open the person's own carbon account, then lead to the scenarios, without which nothing is counted."""
    actor, user_id = acting(request)
    key = request.POST.get("idempotency_key") or None
    opened = open_carbon_account(actor=actor, at=timezone.now(), user_id=user_id, idempotency_key=key)
    words = gettext("碳账户已开通：%(number)s。选一个场景授权，之后的出行会自动入账。")
    return said(request, words % {"number": opened.number}, "citizen:scenes")


def _home_context(view: HomeView, user_id: int, at: datetime) -> dict[str, Any]:
    names = scenario_names()
    today = business_day(at)
    rows = [record_row(one, names, with_day=True) for one in view.recent[:ROWS_SHOWN]]
    coupons = usable(rewards.coupons_of(user_id), today)
    change = _change(view.month_grams, view.previous_month_grams)
    return {
        "view": view,
        "freeze": accounts.freeze_of_user(user_id, at=at),
        "waiting": admissions.waiting(user_id, at=at),
        "caption": _caption(today),
        "lines": (change, *_latest_record(view.recent)),
        "elder_line": change,
        "drops": [receipt(one, names) for one in _latest(view.recent)],
        "rows": rows,
        "elder_rows": [record_row(one, names, brief=True) for one in view.recent[:ROWS_OF_ELDERS]],
        "ledgers": (
            _points_ledger(view),
            Ledger(
                gettext("碳账户"),
                figures.plain(figures.exact(view.grams) / figures.GRAMS_PER_KG, 3),
                reverse("citizen:records"),
                "kg",
                gettext("自 %(day)s") % {"day": f"{figures.local_day(view.account.opened_at):%Y-%m-%d}"},
            ),
            Ledger(
                gettext("我的券"),
                str(len(coupons)),
                reverse("citizen:coupons"),
                ngettext("张", "张", len(coupons)),
                _first_expiry([coupon.expires_on for coupon in coupons]),
            ),
        ),
        "doors": (
            Door(
                gettext("我的券"),
                ngettext("%(n)s 张可用", "%(n)s 张可用", len(coupons)) % {"n": len(coupons)},
                "qr",
                reverse("citizen:coupons"),
            ),
            Door(
                gettext("积分商城"),
                gettext("现有 %(points)s") % {"points": figures.plain(figures.exact(view.points))}
                + " "
                + figures.points_unit(view.points.value),
                "bag",
                reverse("citizen:mall"),
            ),
        ),
        "consented": any(_consented(user_id, scenario.code) for scenario in activity.scenarios()),
    }


def _caption(today: date) -> str:
    month = f"{today:%B}" if figures.in_english() else str(today.month)
    return gettext("%(month)s 月减排，1–%(day)s 日") % {"month": month, "day": today.day}


def _change(now: Grams, before: Grams) -> SafeString:
    """Say how this month stands against the last one up to the same day."""
    if now == before:
        return format_html("{}", gettext("与上月同期一样多"))
    shown = figures.quantity(figures.plain(figures.exact(max(now - before, before - now))), "g")
    return format_html(gettext("比上月同期多 {}") if now > before else gettext("比上月同期少 {}"), shown)


def _latest_record(recent: tuple[RecordView, ...]) -> tuple[str, ...]:
    """Say of which day the latest record is, because partners send them later than they happen."""
    if not recent:
        return ()
    return (gettext("最近一笔记录在 %(day)s") % {"day": figures.day_in_sentence(recent[0].day)},)


def _latest(recent: tuple[RecordView, ...]) -> list[RecordView]:
    """Return the records of the latest days that gave something, a few of them."""
    counted = [record for record in recent if record.grams > Grams(0)]
    days = sorted({record.day for record in counted}, reverse=True)[:DROP_DAYS]
    return [record for record in counted if record.day in days][:DROPS_SHOWN]


def _points_ledger(view: HomeView) -> Ledger:
    soon = next((lot.expires_on for lot in view.expiring), None)
    note = gettext("30 天内无到期")
    if soon is not None:
        lapsing = Points.total(lot.points for lot in view.expiring if lot.expires_on == soon)
        note = gettext("%(points)s 分 %(day)s 到期") % {"points": lapsing, "day": f"{soon:%m-%d}"}
    unit = figures.points_unit(view.points.value)
    number = figures.plain(figures.exact(view.points))
    return Ledger(gettext("积分"), number, reverse("citizen:mall"), unit, note, urgent=soon is not None)


def _first_expiry(days: list[date]) -> str:
    if not days:
        return gettext("可用积分兑换")
    return gettext("最早 %(day)s 到期") % {"day": f"{min(days):%m-%d}"}


def _consented(user_id: int, scenario: str) -> bool:
    spans = identity.consents_of(user_ids=[user_id], scenario=scenario).get(user_id, ())
    return any(withdrawn is None for _, withdrawn in spans)
