"""The expert's desk (我的评审): what waits, what was reviewed, fees, and the interests that the expert declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.review_words import conclusion_name, field_names
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, digits, on_day, row_act, state_mark
from tanpuhui.interfaces.workbench.review_words import interest_kind, review_task, seat_state, term_state
from tanpuhui.interfaces.workbench.words import worded
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import (
    InterestDeclared,
    declare_expert_interest,
    withdraw_expert_interest,
)
from tanpuhui.science.methodology.queries import ExpertTermView, FeeView, InterestKind, PanelView


class InterestForm(forms.Form):
    """An interest that an expert declares."""

    kind = forms.ChoiceField(label=gettext_lazy("对象"))
    reference = forms.CharField(
        label=gettext_lazy("代码"),
        max_length=60,
        help_text=gettext_lazy("机构写统一社会信用代码，项目和方法学写编号。"),
    )
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "kind", [(kind.value, interest_kind(kind)) for kind in InterestKind])


@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """Show an expert everything of theirs on one page."""
    number = methodology.expert_of(who(request))
    context: dict[str, Any] = {"title": gettext("我的评审")}
    if number is None:
        context["sections"] = [
            Section(
                empty=gettext("您还不在专家库里。"),
                empty_next=gettext("由运营中心提名、主管部门聘任以后，抽到您的评审会出现在这里。"),
            )
        ]
    else:
        terms = methodology.expert_terms(expert_number=number)
        context |= {
            "facts": own_facts(terms),
            "ways": [Way(label=gettext("申报利害关系"), url=reverse("workbench:interest-new"))],
            "sections": [
                _waiting(number),
                _panels(number),
                fee_section(methodology.fees(expert_number=number)),
                _interests(request, number),
            ],
        }
    crumbs = (Crumb(gettext("我的评审")),)
    return page(request, "workbench/sheet.html", context, section="reviews", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def declare_interest(request: HttpRequest) -> HttpResponse:
    """Declare an interest; panels drawn from now on recuse the expert where it matters."""
    if request.method != "POST":
        return _interest_page(request, InterestForm())
    form = InterestForm(request.POST)

    def perform(given: Mapping[str, Any]) -> InterestDeclared:
        return declare_expert_interest(
            actor=who(request), at=timezone.now(), idempotency_key=key_of(request), **given
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _interest_page(request, form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("已申报。以后抽取专家组时会据此回避。"))
    return see_other("workbench:reviews")


@require_POST
def withdraw_interest(request: HttpRequest, interest_id: int) -> HttpResponse:
    """Say that a declared interest holds no more."""
    withdraw_expert_interest(
        actor=who(request), at=timezone.now(), interest_id=interest_id, idempotency_key=key_of(request)
    )
    messages.success(request, gettext("已撤回申报，原申报仍留在记录里。"))
    return see_other("workbench:reviews")


def own_facts(terms: tuple[ExpertTermView, ...]) -> list[Fact]:
    """Return number, fields and term of an expert, of the term that holds or else the newest."""
    today = timezone.localdate()
    term = next((one for one in terms if one.holds_on(today)), terms[0])
    return [
        Fact(gettext("专家编号"), digits(term.expert_number), mono=True),
        Fact(gettext("专业领域"), field_names(term.fields)),
        Fact(gettext("工作单位"), f"{term.employer_name} {term.employer_uscc}"),
        Fact(gettext("聘期"), f"{term.term_from:%Y-%m-%d} {figures.EN_DASH} {term.term_to:%Y-%m-%d}"),
        Fact(gettext("状态"), state_mark(term_state(standing_of(term)))),
    ]


def standing_of(term: ExpertTermView) -> str:
    """Return the state of a term today, its end and its days counted in."""
    today = timezone.localdate()
    if term.ended_on is not None and term.ended_on <= today:
        return "ended"
    if term.state != "appointed":
        return term.state
    if term.term_to < today:
        return "over"
    return "appointed" if term.term_from <= today else "ahead"


def panel_title(panel: PanelView) -> str:
    """Return which version a panel has before it."""
    version = methodology.version(panel.version_id)
    return f"{version.code} {worded(version.name_zh, version.name_en)} {version.version}"


def fee_section(lines: tuple[FeeView, ...]) -> Section:
    """Return fees as a table; a line for which no rule sets the fee says so."""
    kinds = {"review": gettext("评审意见"), "meeting": gettext("评审会")}
    return Section(
        title=gettext("评审费"),
        columns=(
            Column(gettext("办件号"), "mono"),
            Column(gettext("事项")),
            Column(gettext("日期"), "soft"),
            Column(gettext("金额 元"), "num"),
            Column(gettext("依据"), "soft"),
        ),
        rows=[
            Row(
                (
                    line.case_number,
                    kinds.get(line.kind, line.kind),
                    on_day(line.earned_at),
                    figures.unset() if line.fen is None else digits(line.fen),
                    line.basis,
                ),
                unset=line.fen is None,
            )
            for line in lines
        ],
        empty=gettext("还没有评审费。"),
        empty_next=gettext("提交评审意见和参加评审会以后，按规则逐笔记在这里。"),
    )


def _waiting(number: int) -> Section:
    return Section(
        title=gettext("等您办理"),
        columns=(
            Column(gettext("办件号"), "mono"),
            Column(gettext("方法学")),
            Column(gettext("要做的")),
            Column(gettext("自"), "soft"),
            Column(gettext("期限"), "soft"),
        ),
        rows=[
            Row(
                (
                    task.case.number,
                    task.case.title,
                    review_task(task.kind),
                    on_day(task.since),
                    on_day(task.case.deadline_day) if task.case.deadline_day else gettext("未设定"),
                ),
                url=reverse("workbench:review", args=[task.panel_id]),
            )
            for task in methodology.tasks_of_expert(number)
        ],
        empty=gettext("现在没有等您办理的评审。"),
        empty_next=gettext("抽到您时，会出现在待办里。"),
    )


def _panels(number: int) -> Section:
    rows = []
    for panel in methodology.panels_of_expert(number):
        seat = next(one for one in panel.seats if one.expert_number == number)
        meeting = methodology.signed_meeting(panel.panel_id, version_id=panel.version_id)
        rows.append(
            Row(
                (
                    panel.case_number,
                    panel_title(panel),
                    state_mark(seat_state(seat.state)),
                    state_mark(conclusion_name(meeting.conclusion)) if meeting else gettext("还没有"),
                    on_day(seat.seated_at),
                ),
                url=reverse("workbench:review", args=[panel.panel_id]),
            )
        )
    return Section(
        title=gettext("全部评审"),
        columns=(
            Column(gettext("办件号"), "mono"),
            Column(gettext("方法学")),
            Column(gettext("我的席位")),
            Column(gettext("评审会结论")),
            Column(gettext("抽到"), "soft"),
        ),
        rows=rows,
        empty=gettext("还没有抽到过您。"),
    )


def _interests(request: HttpRequest, number: int) -> Section:
    return Section(
        title=gettext("我申报的利害关系"),
        columns=(
            Column(gettext("对象")),
            Column(gettext("代码"), "mono"),
            Column(gettext("说明"), "soft"),
            Column(gettext("申报"), "soft"),
            Column(""),
        ),
        rows=[
            Row(
                (
                    interest_kind(one.kind),
                    one.reference,
                    one.note,
                    on_day(one.declared_at),
                    row_act(
                        request,
                        reverse("workbench:interest-withdraw", args=[one.interest_id]),
                        gettext("撤回"),
                    ),
                )
            )
            for one in methodology.interests_declared(number)
        ],
        empty=gettext("没有申报。"),
        empty_next=gettext("单位、持股、顾问、参与编写等情况，请在抽取以前申报。"),
    )


def _interest_page(
    request: HttpRequest, form: InterestForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("申报利害关系"),
        "lead": gettext("申报以后抽取的专家组会据此回避；已经在席的，请在评审页面声明。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("申报")},
        "back": reverse("workbench:reviews"),
    }
    crumbs = (
        Crumb(gettext("我的评审"), reverse("workbench:reviews")),
        Crumb(gettext("申报利害关系")),
    )
    return page(request, "workbench/form.html", context, section="reviews", crumbs=crumbs, status=status)
