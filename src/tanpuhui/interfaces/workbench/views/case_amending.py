"""Appeal against a decision, propose that one be corrected or rescinded (申诉、更正、撤销): the forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import Amendment, file_appeal, propose_amendment
from tanpuhui.interfaces.workbench.acting import key_of, set_choices, who
from tanpuhui.interfaces.workbench.sight import case_in_sight
from tanpuhui.interfaces.workbench.views.case_ways import form_page
from tanpuhui.interfaces.workbench.words import worded


class AppealForm(forms.Form):
    """Why the decision is wrong."""

    reason = forms.CharField(
        label=gettext_lazy("申诉理由"), max_length=10_000, widget=forms.Textarea,
        help_text=gettext_lazy("写明哪里不对、依据是什么、希望怎样处理。证明材料可以在提交以后作为附件补充。"),
    )  # fmt: skip


class AmendForm(forms.Form):
    """Which decision, what shall become of it, and why."""

    decision_id = forms.TypedChoiceField(label=gettext_lazy("决定"), coerce=int)
    kind = forms.ChoiceField(
        label=gettext_lazy("处理"), widget=forms.RadioSelect,
        choices=(
            (Amendment.CORRECTION.value, gettext_lazy("更正意见的文字，决定不变")),
            (Amendment.RESCISSION.value, gettext_lazy("撤销决定，案件回到作出决定以前")),
        ),
    )  # fmt: skip
    wording = forms.CharField(
        label=gettext_lazy("更正后的意见全文"), required=False, max_length=2000, widget=forms.Textarea,
        help_text=gettext_lazy("只在更正时填写。原来的文字保留。"),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=10_000, widget=forms.Textarea)


@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, case_id: int) -> HttpResponse:
    """Appeal, as a party, against the last decision; somebody who decided nothing in the case decides."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    limit = rulebook.parameter(key=workflow.APPEAL_PARAMETER, at=timezone.now(), scope=view.process)
    within = (
        gettext("规则没有规定申诉的时限，由办理人员决定是否受理并说明理由。")
        if limit.value is None
        else gettext("决定作出后 %(n)s 个工作日内可以提出（依据：%(basis)s）。")
        % {"n": limit.value, "basis": limit.basis}
    )

    def perform(given: Mapping[str, Any]) -> object:
        return file_appeal(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            reason=given["reason"],
        )

    return form_page(
        request,
        view,
        title=gettext("申诉"),
        lead=gettext("申诉由没有办理过原案件的人员决定，不影响您依法申请行政复议或者提起诉讼。") + within,
        verb=gettext("提交申诉"),
        said=gettext("申诉已提交，另立一案，见关联案件。"),
        fill=AppealForm,
        perform=perform,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, case_id: int) -> HttpResponse:
    """Propose that a decision of the case be corrected or rescinded; another person confirms it."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    standing = [
        line
        for line in reversed(workflow.timeline(case_id))
        if line.decision_id and line.rescinds is None and line.rescinded_by is None
    ]

    def fill(data: Any = None) -> AmendForm:
        form = AmendForm(data)
        step = gettext("第 %(n)s 步，%(label)s，%(who)s")
        choices = [
            (
                str(line.decision_id),
                step % {"n": line.step, "label": worded(line.label_zh, line.label_en), "who": line.who},
            )
            for line in standing
        ]
        set_choices(form, "decision_id", choices)
        return form

    def perform(given: Mapping[str, Any]) -> object:
        return propose_amendment(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            decision_id=given["decision_id"],
            kind=Amendment(given["kind"]),
            reason=given["reason"],
            wording=given["wording"],
        )

    return form_page(
        request,
        view,
        title=gettext("更正或撤销决定"),
        lead=gettext(
            "由您提出，由另一人同意后生效；理由必填，原来的决定和文字都保留。只有最后一项决定可以撤销，而且它的后果要能收回。"
        ),
        verb=gettext("提出"),
        said=gettext("已提出，另立一案，等另一人同意。"),
        fill=fill,
        perform=perform,
        missing="" if standing else gettext("本案还没有可以更正或撤销的决定。"),
    )
