"""Remarks on a filing as its applicant reads and answers them (逐行意见和答复)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.workflow.queries import CaseView
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import applies, case_in_sight
from tanpuhui.interfaces.workbench.views.panel_parts import remark_groups
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import RemarkMade, reply_to_remark


class ReplyForm(forms.Form):
    """An answer to one remark."""

    remark = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    text = forms.CharField(
        label=gettext_lazy("答复"), max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remarks(request: HttpRequest, case_id: int) -> HttpResponse:
    """List the remarks on every version of a filing; a POST answers one. Who wrote a remark is not told."""
    actor = who(request)
    case = case_in_sight(actor, case_id)
    if not applies(actor, case):
        raise NotFound(what="逐行意见 / remarks", id=case_id)
    if request.method != "POST":
        return _show(request, case)
    form = ReplyForm(request.POST)

    def perform(given: Mapping[str, Any]) -> RemarkMade:
        return reply_to_remark(
            actor=actor,
            at=timezone.now(),
            remark_id=given["remark"],
            text=given["text"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _show(request, case, refused=attempt.refused, form=form, status=attempt.status)
    messages.success(request, gettext("已答复，专家会看到。"))
    response = see_other("workbench:filing-remarks", case_id)
    response["Location"] += f"#r{attempt.done.remark_id}"
    return response


def _show(
    request: HttpRequest,
    case: CaseView,
    *,
    form: ReplyForm | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    panel = methodology.panel_of_case(case.case_id)
    found = methodology.remarks(panel.panel_id) if panel is not None else ()
    tried = form.data.get("remark", "") if form is not None else ""
    context = {
        "case": case,
        "groups": remark_groups(found),
        "open": case.closed_at is None,
        "refused": refused,
        "tried": tried,
        "errors": form.errors.get("text", []) if form is not None else [],
        "text": form.data.get("text", "") if form is not None else "",
        "waiting": sum(not one.replies for one in found),
    }
    crumbs = (
        Crumb(gettext("办件"), reverse("workbench:cases")),
        Crumb(case.number, reverse("workbench:case", args=[case.case_id])),
        Crumb(gettext("逐行意见")),
    )
    return page(
        request, "workbench/filing_remarks.html", context, section="cases", crumbs=crumbs, status=status
    )
