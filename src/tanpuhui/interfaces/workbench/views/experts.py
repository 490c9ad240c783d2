"""The expert pool as the centre keeps it (专家库): who is in it, for which fields and how long, and how the work is spread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.identity.queries import members, organisation, organisations
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.design.review_words import field_choices, field_names
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, digits, link, on_day, state_mark
from tanpuhui.interfaces.workbench.review_words import interest_kind, seat_state, term_state
from tanpuhui.interfaces.workbench.routes import ROUTES
from tanpuhui.interfaces.workbench.sight import works_in
from tanpuhui.interfaces.workbench.views.reviews import fee_section, own_facts, panel_title, standing_of
from tanpuhui.interfaces.workbench.words import worded
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import (
    ExpertProposed,
    ExpertSettled,
    end_expert_term,
    propose_expert,
)

TERM_DAYS = 730


class ExpertForm(forms.Form):
    """A person proposed for a term."""

    person = forms.ChoiceField(
        label=gettext_lazy("人员"), help_text=gettext_lazy("专家机构里有专家角色的人员。")
    )
    title = forms.CharField(label=gettext_lazy("职称"), max_length=60)
    employer_name = forms.CharField(label=gettext_lazy("工作单位"), max_length=120)
    employer_uscc = forms.CharField(
        label=gettext_lazy("工作单位的统一社会信用代码"),
        max_length=18,
        help_text=gettext_lazy("抽取时据此回避，不公开。"),
    )
    fields_ = forms.MultipleChoiceField(label=gettext_lazy("专业领域"), widget=forms.CheckboxSelectMultiple)
    term_from = forms.DateField(
        label=gettext_lazy("聘期自"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    term_to = forms.DateField(
        label=gettext_lazy("聘期至（含当天）"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "fields_", field_choices())
        set_choices(self, "person", _people(actor))


class EndForm(forms.Form):
    """Why a term ends."""

    reason = forms.CharField(
        label=gettext_lazy("理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_safe
def experts(request: HttpRequest) -> HttpResponse:
    """List the newest term of every expert, with open and done work and fees."""
    newest = {term.expert_number: term for term in reversed(methodology.expert_terms())}
    work = methodology.workload(list(newest))
    rows = []
    for number, term in sorted(newest.items()):
        load = work[number]
        owed = (
            digits(load.fen)
            if not load.fees_unset
            else gettext("%(yuan)s，%(n)s 笔未定") % {"yuan": digits(load.fen), "n": load.fees_unset}
        )
        rows.append(
            Row(
                (
                    term.name,
                    digits(number),
                    term.title,
                    field_names(term.fields),
                    on_day(term.term_to),
                    state_mark(term_state(standing_of(term))),
                    digits(load.open),
                    digits(load.reviews),
                    digits(load.meetings),
                    owed,
                ),
                url=reverse("workbench:expert", args=[number]),
            )
        )  # fmt: skip
    section = Section(
        columns=(
            Column(gettext("专家")),
            Column(gettext("编号"), "num"),
            Column(gettext("职称"), "soft"),
            Column(gettext("专业领域"), "soft"),
            Column(gettext("聘期至"), "soft"),
            Column(gettext("状态")),
            Column(gettext("在办"), "num"),
            Column(gettext("已评"), "num"),
            Column(gettext("到会"), "num"),
            Column(gettext("评审费 元"), "num"),
        ),
        rows=rows,
        empty=gettext("专家库是空的。"),
        empty_next=gettext("提名人员，经主管部门聘任以后入库。"),
    )
    ways = (
        [Way(label=gettext("提名专家"), url=reverse("workbench:expert-new"), kind="main")]
        if ROUTES["expert-new"].allows(who(request))
        else []
    )
    context = {"title": gettext("专家库"), "ways": ways, "sections": [section]}
    return page(
        request, "workbench/sheet.html", context, section="experts", crumbs=(Crumb(gettext("专家库")),)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Propose somebody for a term, which opens the case of the appointment."""
    today = timezone.localdate()
    if request.method != "POST":
        first = {"term_from": today, "term_to": today + timedelta(days=TERM_DAYS)}
        return _form_page(request, ExpertForm(initial=first, actor=who(request)), title=gettext("提名专家"))
    form = ExpertForm(request.POST, actor=who(request))

    def perform(given: Mapping[str, Any]) -> ExpertProposed:
        user_id, organisation_id = given["person"].split("-")
        return propose_expert(
            actor=who(request),
            at=timezone.now(),
            user_id=int(user_id),
            organisation_id=int(organisation_id),
            employer_name=given["employer_name"],
            employer_uscc=given["employer_uscc"],
            title=given["title"],
            fields=given["fields_"],
            term_from=given["term_from"],
            term_to=given["term_to"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(
            request, form, title=gettext("提名专家"), refused=attempt.refused, status=attempt.status
        )
    messages.success(request, gettext("已提名，等待主管部门聘任。"))
    return see_other("workbench:case", attempt.done.case_id)


@require_safe
def expert(request: HttpRequest, number: int) -> HttpResponse:
    """Show one expert: terms, declared interests, panels, fees."""
    terms = methodology.expert_terms(expert_number=number)
    if not terms:
        raise NotFound(what="专家 / expert", id=number)
    may_end = ROUTES["expert-end"].allows(who(request))
    history = Section(
        title=gettext("聘期"),
        columns=(
            Column(gettext("自"), "soft"),
            Column(gettext("至"), "soft"),
            Column(gettext("专业领域")),
            Column(gettext("推荐机构"), "soft"),
            Column(gettext("状态")),
            Column(""),
        ),
        rows=[
            Row(
                (
                    on_day(term.term_from),
                    on_day(term.term_to),
                    field_names(term.fields),
                    _body(term.organisation_id),
                    state_mark(term_state(standing_of(term))),
                    link(reverse("workbench:expert-end", args=[term.term_id]), gettext("解聘"))
                    if may_end and standing_of(term) == "appointed"
                    else "",
                ),
                remark=term.ended_reason,
            )
            for term in terms
        ],
    )
    interests = Section(
        title=gettext("申报的利害关系"),
        columns=(
            Column(gettext("对象")),
            Column(gettext("代码"), "mono"),
            Column(gettext("说明"), "soft"),
            Column(gettext("申报"), "soft"),
        ),
        rows=[
            Row((interest_kind(one.kind), one.reference, one.note, on_day(one.declared_at)))
            for one in methodology.interests_declared(number)
        ],
        empty=gettext("没有申报。"),
    )
    context = {
        "title": f"{terms[0].name} {terms[0].title}",
        "facts": own_facts(terms),
        "sections": [
            history,
            interests,
            _panels(number),
            fee_section(methodology.fees(expert_number=number)),
        ],
    }
    crumbs = (Crumb(gettext("专家库"), reverse("workbench:experts")), Crumb(terms[0].name))
    return page(request, "workbench/sheet.html", context, section="experts", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, term_id: int) -> HttpResponse:
    """End a term for a reason."""
    term = methodology.expert_term(term_id)
    title = gettext("解聘 %(name)s") % {"name": term.name}
    lead = gettext("从今天起不再抽到；已在席的案件不受影响，有利害关系的另行移出。")
    if request.method != "POST":
        return _form_page(request, EndForm(), title=title, lead=lead)
    form = EndForm(request.POST)

    def perform(given: Mapping[str, Any]) -> ExpertSettled:
        return end_expert_term(
            actor=who(request),
            at=timezone.now(),
            term_id=term_id,
            reason=given["reason"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(
            request, form, title=title, lead=lead, refused=attempt.refused, status=attempt.status
        )
    messages.success(request, gettext("已解聘。"))
    return see_other("workbench:expert", term.expert_number)


def _panels(number: int) -> Section:
    rows = []
    for panel in methodology.panels_of_expert(number):
        seat = next(one for one in panel.seats if one.expert_number == number)
        rows.append(
            Row(
                (
                    panel.case_number,
                    panel_title(panel),
                    state_mark(seat_state(seat.state)),
                    on_day(seat.seated_at),
                ),
                url=reverse("workbench:panel", args=[panel.case_id]),
            )
        )
    return Section(
        title=gettext("评审"),
        columns=(
            Column(gettext("办件号"), "mono"),
            Column(gettext("方法学")),
            Column(gettext("席位")),
            Column(gettext("抽到"), "soft"),
        ),
        rows=rows,
        empty=gettext("还没有抽到过。"),
    )


def _people(actor: Actor) -> list[tuple[str, str]]:
    """Return who works as an expert for an expert body where the actor works, as user and organisation."""
    now = timezone.now()
    return [
        (
            f"{one.user_id}-{body.id}",
            f"{one.display_name} {figures.EN_DASH} {worded(body.name, body.name_en)}",
        )
        for body in organisations(kind="expert_body")
        if works_in(actor, body.area)
        for one in members(body.id, at=now)
        if one.role == Role.EXPERT
    ]


def _body(organisation_id: int) -> str:
    found = organisation(organisation_id)
    return worded(found.name, found.name_en)


def _form_page(
    request: HttpRequest,
    form: forms.Form,
    *,
    title: str,
    lead: str = "",
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "title": title,
        "lead": lead,
        "form": form,
        "refused": refused,
        "submit": {"verb": title},
        "back": reverse("workbench:experts"),
    }
    crumbs = (Crumb(gettext("专家库"), reverse("workbench:experts")), Crumb(title))
    return page(request, "workbench/form.html", context, section="experts", crumbs=crumbs, status=status)
