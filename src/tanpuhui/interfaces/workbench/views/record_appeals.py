"""What appeals about records, and disownings, are about (记录申诉、否认记录): the facts in the case, and the trips on a page of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView, SetAsideView
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.queries import AppealState, AppealView, DisowningState, DisowningView
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow.queries import case
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, state_mark
from tanpuhui.interfaces.workbench.views.disclosures import appealed_record_opened, disowned_record_opened
from tanpuhui.interfaces.workbench.words import locale, worded

EXAMINERS = (Role.MAKER, Role.CHECKER)
"""Who examines and decides sees the trips; others see that there is an appeal."""


def appeal_part(appeal_id: int) -> dict[str, Any]:
    """Return what the case says of its appeal: which record and why it did not count, without places or times."""
    view = accounts.appeal(appeal_id)
    return {
        "facts": [
            Fact(gettext("碳账户号"), view.number, mono=True),
            Fact(gettext("场景"), _scenario(view.scenario)),
            Fact(gettext("行为日"), view.day.isoformat()),
            Fact(gettext("为什么没有计入"), activity.reason_said(view.reason, locale())),
            Fact(gettext("状态"), state_mark(_state(view.state))),
        ],
        "url": reverse("workbench:appeal-record", args=[view.id]),
    }


@require_safe
def appealed_record(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """Show the record that is appealed beside what counts of that day; whoever opens it stands in the record of disclosures."""
    actor = who(request)
    view = accounts.appeal(appeal_id)
    if not actor.has(*EXAMINERS, area=view.area):
        raise NotFound(what=gettext("申诉"), id=appeal_id)
    appealed_record_opened(actor, view.id)
    return _trips(
        request,
        view,
        accounts.appealed_record(view),
        title=gettext("申诉的记录"),
        lead=gettext("只供核实这件申诉。打开这一页会在披露记录里留一条。"),
        facts=appeal_part(view.id)["facts"],
    )


def disowning_part(disowning_id: int) -> dict[str, Any]:
    """Return what the case says of a record that its person disowns, without places or times."""
    view = accounts.disowning(disowning_id)
    return {
        "facts": [
            Fact(gettext("碳账户号"), view.number, mono=True),
            Fact(gettext("场景"), _scenario(view.scenario)),
            Fact(gettext("行为日"), view.day.isoformat()),
            Fact(gettext("状态"), state_mark(_disowning_state(view.state))),
        ],
        "url": reverse("workbench:disowned-record", args=[view.id]),
    }


@require_safe
def disowned_record(request: HttpRequest, disowning_id: int) -> HttpResponse:
    """Show the record that its person disowns beside what counts of that day; whoever opens it stands in the record of disclosures."""
    actor = who(request)
    view = accounts.disowning(disowning_id)
    if not actor.has(*EXAMINERS, area=view.area):
        raise NotFound(what=gettext("否认的记录"), id=disowning_id)
    disowned_record_opened(actor, view.id)
    return _trips(
        request,
        view,
        activity.record(posting_id=view.posting_id, account_id=view.ledger_account_id, row=view.row),
        title=gettext("否认的记录"),
        lead=gettext("只供核实这件说明。打开这一页会在披露记录里留一条。"),
        facts=disowning_part(view.id)["facts"],
    )


def _trips(
    request: HttpRequest,
    view: AppealView | DisowningView,
    record: SetAsideView | RecordView,
    *,
    title: str,
    lead: str,
    facts: list[Fact],
) -> HttpResponse:
    counted = activity.records_of_account(
        account_id=view.ledger_account_id, first_day=view.day, last_day=view.day
    )
    columns = (
        Column(gettext("场景")),
        Column(gettext("数据伙伴"), "soft"),
        Column(gettext("开始"), "soft"),
        Column(gettext("结束"), "soft"),
        Column(gettext("线路和站点")),
        Column(gettext("距离 km"), "num"),
    )
    number = case(view.case_id).number
    context = {
        "title": title,
        "lead": lead,
        "facts": facts,
        "sections": [
            Section(title=title, columns=columns, rows=[_row(record)], empty=""),
            Section(
                title=gettext("本人同一天已计入的记录"),
                columns=columns,
                rows=[_row(one) for one in counted if not _same(one, view)],
                empty=gettext("这一天没有其他计入的记录。"),
            ),
        ],
    }
    crumbs = (Crumb(number, reverse("workbench:case", args=[view.case_id])), Crumb(title))
    return page(request, "workbench/sheet.html", context, section="cases", crumbs=crumbs)


def _same(record: RecordView, view: AppealView | DisowningView) -> bool:
    return (record.posting_id, record.row) == (view.posting_id, view.row)


def _row(record: SetAsideView | RecordView) -> Row:
    partner_id = (
        record.partner_id
        if isinstance(record, SetAsideView)
        else activity.posting(record.posting_id).partner_id
    )
    partner = organisation(partner_id)
    places = " → ".join(
        place for place in (record.traces.get("from_place"), record.traces.get("to_place")) if place
    )
    return Row(
        (
            _scenario(record.scenario),
            worded(partner.name, partner.name_en),
            _moment(record.started_at),
            _moment(record.ended_at),
            " ".join(filter(None, (record.traces.get("line"), places))),
            str(record.values.get("distance_km") or ""),
        )
    )


def _moment(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%m-%d %H:%M:%S}" if moment is not None else ""


def _scenario(code: str) -> str:
    return next(
        (worded(view.name_zh, view.name_en) for view in activity.scenarios() if view.code == code), code
    )


def _state(state: AppealState) -> tuple[str, str]:
    return {
        AppealState.LODGED: ("pending", gettext("处理中")),
        AppealState.UPHELD: ("ok", gettext("成立，改为计入")),
        AppealState.DISMISSED: ("refused", gettext("不成立，维持不计入")),
        AppealState.WITHDRAWN: ("closed", gettext("已撤回")),
    }[state]


def _disowning_state(state: DisowningState) -> tuple[str, str]:
    return {
        DisowningState.LODGED: ("pending", gettext("处理中")),
        DisowningState.UPHELD: ("ok", gettext("属实，已冲回")),
        DisowningState.DISMISSED: ("refused", gettext("不属实，照常计入")),
        DisowningState.WITHDRAWN: ("closed", gettext("已撤回")),
    }[state]
