"""The record of handings over (披露记录): whose data went to whom, what for, on which basis, which kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.audit.operations import hand_over_set
from tanpuhui.foundation.audit.queries import DisclosureView
from tanpuhui.foundation.audit.queries import disclosures as handed_over
from tanpuhui.foundation.identity.queries import people
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment
from tanpuhui.interfaces.workbench.sight import watches_all

LINES_MAX = 200
BATCH_REPORT = "batch_report"
HELD_REVIEW = "held_review"
APPEAL = "record_appeal"
DISOWNING = "record_disowning"


def batch_report_taken(actor: Actor, batch_id: int) -> None:
    """Write down that somebody takes the report of a batch: rows that were not counted, with the values at fault."""
    hand_over_set(
        actor=actor,
        at=timezone.now(),
        subject=f"batch:{batch_id}",
        purpose=BATCH_REPORT,
        data_kinds=("record_ids", "values_at_fault"),
    )


def held_set_opened(actor: Actor, waiting_id: int) -> None:
    """Write down that somebody reads held records: when, where, how far, without the person."""
    hand_over_set(
        actor=actor,
        at=timezone.now(),
        subject=f"waiting:{waiting_id}",
        purpose=HELD_REVIEW,
        data_kinds=("moments", "areas", "distances"),
    )


def appealed_record_opened(actor: Actor, appeal_id: int) -> None:
    """Write down that somebody reads the trips that an appeal is about, and those that counted that day."""
    hand_over_set(
        actor=actor,
        at=timezone.now(),
        subject=f"record_appeal:{appeal_id}",
        purpose=APPEAL,
        data_kinds=("moments", "places", "distances"),
    )


def disowned_record_opened(actor: Actor, disowning_id: int) -> None:
    """Write down that somebody reads the trip that a person says is not theirs, and those that counted that day."""
    hand_over_set(
        actor=actor,
        at=timezone.now(),
        subject=f"record_disowning:{disowning_id}",
        purpose=DISOWNING,
        data_kinds=("moments", "places", "distances"),
    )


@require_safe
def disclosures(request: HttpRequest) -> HttpResponse:
    """List to whom personal data were handed over, the latest first; of one subject where it is asked for."""
    if not watches_all(who(request)):
        raise NotPermitted(operation="disclosures")
    wanted = request.GET.get("subject", "").strip()
    lines = handed_over(subject=wanted, limit=LINES_MAX)
    names, purposes, kinds = _names(lines), purpose_words(), kind_words()
    section = Section(
        columns=(
            Column(gettext("时间"), "soft"),
            Column(gettext("谁的数据"), "mono"),
            Column(gettext("提供给谁")),
            Column(gettext("用途")),
            Column(gettext("哪些数据")),
            Column(gettext("依据"), "soft"),
        ),
        rows=[
            Row(
                (
                    at_moment(line.at),
                    line.subject,
                    names.get(line.recipient, line.recipient),
                    purposes.get(line.purpose, line.purpose),
                    gettext("、").join(kinds.get(kind, kind) for kind in line.data_kinds),
                    line.legal_basis,
                )
            )
            for line in lines
        ],
        empty=gettext("没有提供记录。"),
        empty_next=gettext("个人取走自己的数据、工作人员打开待复核记录、下载批次报告时，各留一条。"),
        note=gettext("只列最近 %(n)s 条。") % {"n": LINES_MAX} if len(lines) == LINES_MAX else "",
    )
    context = {
        "title": gettext("披露记录"),
        "lead": gettext(
            "个人数据每一次交给谁、为了什么、凭什么。这里只记种类，不记数据；只能增加，不能修改或删除。"
        ),
        "search": {"value": wanted, "name": "subject", "label": gettext("谁的数据，例如 batch:1")},
        "sections": [section],
    }
    crumbs = (Crumb(gettext("审计记录"), reverse("workbench:audit")), Crumb(gettext("披露记录")))
    return page(request, "workbench/sheet.html", context, section="audit", crumbs=crumbs)


def _names(lines: Sequence[DisclosureView]) -> Mapping[str, str]:
    """Return the names of the users to whom data were handed over."""
    users = {line.recipient.removeprefix("user:") for line in lines if line.recipient.startswith("user:")}
    found = people([int(one) for one in users if one.isdigit()])
    return {f"user:{key}": person.display_name for key, person in found.items()}


def purpose_words() -> Mapping[str, str]:
    """Return what data are handed over for, in words."""
    return {
        "own_copy": gettext("本人下载自己的数据"),
        BATCH_REPORT: gettext("下载批次报告"),
        HELD_REVIEW: gettext("复核待复核记录"),
        APPEAL: gettext("办理记录申诉"),
        DISOWNING: gettext("核实否认的记录"),
    }


def kind_words() -> Mapping[str, str]:
    """Return the kinds of data, in words."""
    return {
        "record_ids": gettext("记录编号"),
        "values_at_fault": gettext("有错的值"),
        "moments": gettext("时刻"),
        "areas": gettext("区县"),
        "places": gettext("线路和站点"),
        "distances": gettext("距离"),
        "person": gettext("姓名、手机号、所在地"),
        "account": gettext("碳账户"),
        "consents": gettext("授权和撤回"),
        "partners": gettext("绑定的数据方"),
        "records": gettext("减排记录和轨迹"),
        "waiting": gettext("待结算的记录"),
        "not_counted": gettext("没有计入的记录"),
        "lines": gettext("对账单"),
        "coupons": gettext("兑换和券"),
        "messages": gettext("消息"),
        "programmes": gettext("原平台迁入"),
        "sign_ins": gettext("登录记录"),
        "disclosures": gettext("提供记录"),
    }
