"""Appeal that a record should count (申诉): lodge it, see how it stands and why it was decided so, take it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView, SetAsideView
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import AppealedRecord, appeal_record
from tanpuhui.behaviour.carbon_accounts.queries import AppealState, AppealView, DisowningState, DisowningView
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, page, said, worded
from tanpuhui.interfaces.citizen.rows import icon_of, not_counted_words, scenario_names

WITHDRAW = "withdraw"
REASONS_SHOWN = frozenset({"uphold", "dismiss"})
"""Of staff's acts only the decision is reasoned to the person; the maker's advice is for the checker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to an appeal: what, when, and the reasons where these are for the person."""

    label: str
    at: datetime
    words: str


@require_http_methods(["GET", "HEAD", "POST"])
@account_needed
def appeal_not_counted(request: HttpRequest, set_aside: int, row: int) -> HttpResponse:
    """Appeal a record that a settlement did not count."""
    _, user_id = acting(request)
    account_id = accounts.account_of_user(user_id).ledger_account_id
    view = activity.set_aside_record(set_aside_id=set_aside, account_id=account_id, row=row)
    return _lodge(request, AppealedRecord(row=row, set_aside_id=set_aside), about(view, view.reason))


@require_http_methods(["GET", "HEAD", "POST"])
@account_needed
def appeal_taken_back(request: HttpRequest, posting: int, row: int) -> HttpResponse:
    """Appeal a record that was taken back after it had counted."""
    _, user_id = acting(request)
    account_id = accounts.account_of_user(user_id).ledger_account_id
    view = activity.record(posting_id=posting, account_id=account_id, row=row)
    last = activity.last_exception(posting_id=posting, row=row)
    reason = last.reason if last is not None and last.excluded else ""
    return _lodge(request, AppealedRecord(row=row, posting_id=posting), about(view, reason))


def _lodge(request: HttpRequest, record: AppealedRecord, facts: Mapping[str, Any]) -> HttpResponse:
    actor, user_id = acting(request)
    refused: Refusal | None = None
    if request.method == "POST":
        try:
            done = appeal_record(
                actor=actor,
                at=timezone.now(),
                user_id=user_id,
                record=record,
                statement=request.POST.get("statement", ""),
                idempotency_key=request.POST["idempotency_key"],
            )
        except Refusal as refusal:
            refused = refusal
        else:
            return said(
                request,
                gettext("申诉已提交，办件号 %(number)s。有了结果会发消息给你。")
                % {"number": done.case_number},
                "citizen:appeal",
                done.appeal_id,
            )
    context = {**facts, "refused": refused, "statement": request.POST.get("statement", "")}
    back = reverse("citizen:records") + f"?month={Month.of(facts['day'])}"
    status = status_of(refused.code) if refused else 200
    return page(
        request,
        "citizen/lodge_appeal.html",
        context,
        section="home",
        title=gettext("申诉"),
        back=back,
        status=status,
    )


@require_safe
@account_needed
def appeals(request: HttpRequest) -> HttpResponse:
    """List the person's appeals."""
    _, user_id = acting(request)
    names = scenario_names()
    rows = [
        {
            "url": reverse("citizen:appeal", args=(view.id,)),
            "icon": icon_of(view.scenario),
            "label": names.get(view.scenario, view.scenario),
            "day": view.day,
            "state": state_words(view.state),
        }
        for view in accounts.appeals_of_user(user_id)
    ] + [
        {
            "url": reverse("citizen:disowning", args=(view.id,)),
            "icon": icon_of(view.scenario),
            "label": names.get(view.scenario, view.scenario),
            "day": view.day,
            "state": disowning_words(view.state),
        }
        for view in accounts.disownings_of_user(user_id)
    ]
    back = reverse("citizen:me")
    return page(
        request, "citizen/appeals.html", {"rows": rows}, section="me", title=gettext("我的申诉"), back=back
    )


@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, appeal: int) -> HttpResponse:
    """Show one of the person's appeals; a POST takes it back."""
    actor, user_id = acting(request)
    view = own_appeal(appeal, user_id)
    if request.method == "POST":
        decide(
            actor=actor,
            at=timezone.now(),
            idempotency_key=request.POST["idempotency_key"],
            case_id=view.case_id,
            outcome=WITHDRAW,
            opinion=gettext("本人撤回"),
        )
        return said(request, gettext("申诉已撤回。需要时可以再提。"), "citizen:appeal", view.id)
    case = workflow.case(view.case_id)
    context = {
        **about(accounts.appealed_record(view), view.reason),
        "view": view,
        "number": case.number,
        "open": view.state is AppealState.LODGED,
        "state": state_words(view.state),
        "steps": steps(view.case_id),
        "verb": gettext("撤回申诉"),
    }
    back = reverse("citizen:appeals")
    return page(request, "citizen/appeal.html", context, section="me", title=gettext("申诉"), back=back)


@require_safe
def case(request: HttpRequest, case: int) -> HttpResponse:
    """Lead from a message to the page on which the person follows what they applied for."""
    _, user_id = acting(request)
    view = workflow.case(case)
    if view.subject_type == "record_appeal":
        return redirect("citizen:appeal", own_appeal(int(view.subject_id), user_id).id)
    if view.subject_type == "record_disowning":
        return redirect("citizen:disowning", own_disowning(int(view.subject_id), user_id).id)
    if view.subject_type == "organisation_application":
        return redirect("portal:onboarding-application", int(view.subject_id))
    if view.subject_type == "case":
        return redirect("citizen:freeze")
    raise NotFound(what=gettext("办件"), id=case)


def own_disowning(disowning_id: int, user_id: int) -> DisowningView:
    """Return a disowning of this person; anybody else's is not found."""
    view = accounts.disowning(disowning_id)
    if view.user_id != user_id:
        raise NotFound(what=gettext("否认的记录"), id=disowning_id)
    return view


def own_appeal(appeal_id: int, user_id: int) -> AppealView:
    """Return an appeal of this person; anybody else's is not found."""
    view = accounts.appeal(appeal_id)
    if view.user_id != user_id:
        raise NotFound(what=gettext("申诉"), id=appeal_id)
    return view


def about(record: SetAsideView | RecordView, reason: str) -> dict[str, Any]:
    """Return what a record was and why it does not count, as the pages say it."""
    moment = record.started_at
    return {
        "icon": icon_of(record.scenario),
        "label": scenario_names().get(record.scenario, record.scenario),
        "day": record.day,
        "moment": timezone.localtime(moment) if moment is not None else None,
        "why": not_counted_words(reason),
    }


def state_words(state: AppealState) -> tuple[str, str]:
    """Return tone and words of how an appeal stands."""
    return {
        AppealState.LODGED: ("pending", gettext("处理中")),
        AppealState.UPHELD: ("ok", gettext("成立，改为计入")),
        AppealState.DISMISSED: ("refused", gettext("不成立，维持不计入")),
        AppealState.WITHDRAWN: ("closed", gettext("已撤回")),
    }[state]


def disowning_words(state: DisowningState) -> tuple[str, str]:
    """Return tone and words of how a disowning stands."""
    return {
        DisowningState.LODGED: ("pending", gettext("处理中")),
        DisowningState.UPHELD: ("ok", gettext("属实，已冲回")),
        DisowningState.DISMISSED: ("refused", gettext("不属实，照常计入")),
        DisowningState.WITHDRAWN: ("closed", gettext("已撤回")),
    }[state]


def steps(case_id: int) -> list[Step]:
    """Return what happened, the first first; the opening itself and the maker's advice say nothing to the person."""
    own = {"lodge", WITHDRAW}
    return [
        Step(
            label=worded(line.label_zh, line.label_en),
            at=line.at,
            words=line.opinion if line.outcome in own | REASONS_SHOWN else "",
        )
        for line in workflow.timeline(case_id)
        if line.step
    ]
