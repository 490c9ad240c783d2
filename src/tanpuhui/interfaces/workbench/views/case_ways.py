"""What can be done with a case beside deciding it (转办、催办、关注、定期限): the ways on its page, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import assign_case, follow_case, set_deadline, urge_case
from tanpuhui.foundation.workflow.queries import CaseRights, CaseView
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Way
from tanpuhui.interfaces.workbench.sight import case_in_sight
from tanpuhui.interfaces.workbench.words import worded


class AssignForm(forms.Form):
    """To whom the step goes, and why; what the person had on the screen goes with it."""

    user_id = forms.TypedChoiceField(label=gettext_lazy("转给"), coerce=int)
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=2000, widget=forms.Textarea)
    seen_step = forms.IntegerField(widget=forms.HiddenInput)
    seen_act = forms.IntegerField(widget=forms.HiddenInput)


class UrgeForm(forms.Form):
    """What those who act are told."""

    text = forms.CharField(
        label=gettext_lazy("催办事由"), max_length=2000, widget=forms.Textarea,
        help_text=gettext_lazy("办理人员会收到提醒。一件每天只能催办一次。"),
    )  # fmt: skip


class DeadlineForm(forms.Form):
    """How many working days the step has, where no rule says so, and why."""

    working_days = forms.IntegerField(
        label=gettext_lazy("工作日"), min_value=1, max_value=250,
        help_text=gettext_lazy("从这一步开始的那天起算，离开这一步就不再有效。"),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=2000, widget=forms.Textarea)


def ways(view: CaseView, rights: CaseRights) -> list[Way]:
    """Return what the actor can do with the case now, as links to its forms."""
    known = (
        (rights.assigns, "case-assign", gettext("转办或接手")),
        (rights.sets_deadline, "case-deadline", gettext("定期限")),
        (rights.writes, "case-urge", gettext("催办")),
        (rights.appeals, "case-appeal", gettext("申诉")),
        (rights.amends, "case-amend", gettext("更正或撤销决定")),
    )
    return [
        Way(label=label, url=reverse(f"workbench:{name}", args=[view.case_id]))
        for may, name, label in known
        if may
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest, case_id: int) -> HttpResponse:
    """Hold the step for one person; whoever is too late sees who was first, and the reason stays in the form."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    file = workflow.case_file(case_id)
    takers = workflow.step_takers(actor=actor, case_id=case_id, at=timezone.now())
    seen = {"seen_step": view.step, "seen_act": file.last_assignment}

    def fill(data: Any = None) -> AssignForm:
        form = AssignForm(data, initial={"user_id": int(actor.id) if actor.kind == "user" else None} | seen)
        own = gettext("%(name)s（我）")
        choices = [(str(id_), own % {"name": name} if str(id_) == actor.id else name) for id_, name in takers]
        set_choices(form, "user_id", choices)
        return form

    def perform(given: Any) -> object:
        return assign_case(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            user_id=given["user_id"],
            reason=given["reason"],
            seen_step=given["seen_step"],
            seen_act=given["seen_act"],
        )

    return form_page(
        request,
        view,
        title=gettext("转办或接手"),
        lead=gettext("转给一位在这一步有权的同事，或接到自己名下。离开这一步以后不再有效。"),
        verb=gettext("转办"),
        said=gettext("已转办。"),
        fill=fill,
        perform=perform,
        renew=seen,
        missing="" if takers else gettext("您在这一步没有办理权限，不能转办。"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def urge(request: HttpRequest, case_id: int) -> HttpResponse:
    """Remind those who may move the case."""
    actor = who(request)
    view = case_in_sight(actor, case_id)

    def perform(given: Any) -> object:
        return urge_case(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            text=given["text"],
        )

    return form_page(
        request,
        view,
        title=gettext("催办"),
        lead=gettext("催办写入过程，所有能看到本案的人都能看到。"),
        verb=gettext("催办"),
        said=gettext("已催办，办理人员会收到提醒。"),
        fill=UrgeForm,
        perform=perform,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def deadline(request: HttpRequest, case_id: int) -> HttpResponse:
    """Set a deadline where no rule sets one, and say why."""
    actor = who(request)
    view = case_in_sight(actor, case_id)

    def perform(given: Any) -> object:
        return set_deadline(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            working_days=given["working_days"],
            reason=given["reason"],
        )

    return form_page(
        request,
        view,
        title=gettext("定期限"),
        lead=gettext("规则没有规定这一步的期限，由您决定并说明理由；理由写入过程。"),
        verb=gettext("定期限"),
        said=gettext("期限已定。"),
        fill=DeadlineForm,
        perform=perform,
    )


@require_POST
def follow(request: HttpRequest, case_id: int) -> HttpResponse:
    """Follow a case or no longer, as the button said."""
    actor = who(request)
    case_in_sight(actor, case_id)
    following = follow_case(
        actor=actor,
        at=timezone.now(),
        idempotency_key=key_of(request),
        case_id=case_id,
        follow=request.POST.get("follow") == "yes",
    ).following
    said = gettext("已关注，每一步都会通知您。") if following else gettext("已取消关注。")
    messages.success(request, said)
    return see_other("workbench:case", case_id)


def form_page(
    request: HttpRequest,
    view: CaseView,
    *,
    title: str,
    lead: str,
    verb: str,
    said: str,
    fill: Callable[..., forms.Form],
    perform: Callable[[Mapping[str, Any]], object],
    renew: Mapping[str, object] | None = None,
    missing: str = "",
) -> HttpResponse:
    """Show the form of one act, perform it when sent, and lead back to the case; a refusal keeps what was written.

    `renew` are hidden fields that take the present state after a refusal, so that the second try has seen it.
    """
    refused, status, form = None, 200, fill()
    if request.method == "POST":
        form = fill(request.POST)
        attempt = Attempt(form, perform)
        if attempt.done is not None:
            messages.success(request, said)
            return see_other("workbench:case", view.case_id)
        refused, status = attempt.refused, attempt.status
        if refused is not None:
            form = fill(request.POST.dict() | {name: str(value) for name, value in (renew or {}).items()})
    context = {
        "title": title,
        "lead": lead,
        "facts": [
            Fact(gettext("办件"), f"{view.number} {view.title}"),
            Fact(gettext("环节"), worded(view.state_zh, view.state_en)),
        ],
        "form": None if missing else form,
        "missing": missing,
        "refused": refused,
        "submit": {"verb": verb},
        "back": reverse("workbench:case", args=[view.case_id]),
    }
    crumbs = (
        Crumb(pgettext("rooms", "办件"), reverse("workbench:cases")),
        Crumb(view.number, reverse("workbench:case", args=[view.case_id])),
        Crumb(title),
    )
    return page(request, "workbench/form.html", context, section="inbox", crumbs=crumbs, status=status)
