"""Technical docking (技术对接): upload a sample, read its quality report, and for the centre accept it in writing."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import SampleTried, accept_sample, erase_sample, try_sample
from tanpuhui.behaviour.activity.queries import ApplicationView, SampleView
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.design.science import confidence_text
from tanpuhui.interfaces.workbench import sample_sheet
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.application_sheet import columns_section, samples_section
from tanpuhui.interfaces.workbench.docking_words import sample_verdict
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import application_in_sight
from tanpuhui.interfaces.workbench.views.applications import applies_for, crumbs_of, may_try
from tanpuhui.interfaces.workbench.words import locale

ROWS_SHOWN = 100
KILOBYTE = 1024
SIZE_PARAMETER = "sandbox.file_bytes_max"


class SampleForm(forms.Form):
    """One sample file."""

    file = forms.FileField(label=gettext_lazy("样本"), widget=forms.FileInput)


@require_http_methods(["GET", "HEAD", "POST"])
def docking(request: HttpRequest, application_id: int) -> HttpResponse:
    """Show the samples of an application, and take another."""
    actor = who(request)
    view = application_in_sight(actor, application_id)
    if request.method != "POST":
        return _docking_page(request, view)
    form = SampleForm(request.POST, request.FILES)

    def perform(given: Any) -> SampleTried:
        upload = given["file"]
        most = rulebook.require_parameter(key=SIZE_PARAMETER, at=timezone.now()).value
        return try_sample(
            actor=actor,
            at=timezone.now(),
            application_id=view.id,
            file_name=upload.name,
            media_type=upload.content_type or "application/octet-stream",
            # One byte more than allowed is enough to be refused, and no more of it comes into the memory.
            content=upload.read(int(most or 0) + 1),
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        return see_other("workbench:sample", attempt.done.sample_id)
    return _docking_page(request, view, form=form, refused=attempt.refused, status=attempt.status)


@require_safe
def sample(request: HttpRequest, sample_id: int) -> HttpResponse:
    """Show the report of a sample; with `row`, why that row gives what it gives."""
    return _sample_page(request, *_in_sight(request, sample_id))


@require_safe
def rows(request: HttpRequest, sample_id: int) -> StreamingHttpResponse:
    """Send every row with its verdict as CSV in which no spreadsheet finds a formula."""
    _, view = _in_sight(request, sample_id)
    lines = activity.sample_report_csv(view.id, locale=locale())
    response = StreamingHttpResponse(_with_mark(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="sample-{view.id}-rows.csv"'
    return response


@require_safe
def report(request: HttpRequest, sample_id: int) -> HttpResponse:
    """Send the quality report as JSON: whole numbers, and decimals as text."""
    _, view = _in_sight(request, sample_id)
    body = json.dumps(activity.sample_report_json(view.id), ensure_ascii=False, indent=2)
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="sample-{view.id}-report.json"'
    return response


@require_POST
def accept(request: HttpRequest, sample_id: int) -> HttpResponse:
    """Accept a sample in writing; a refusal is shown at the form with the reason kept."""
    application, view = _in_sight(request, sample_id)
    reason = request.POST.get("reason", "")
    try:
        accept_sample(
            actor=who(request),
            at=timezone.now(),
            sample_id=view.id,
            reason=reason,
            idempotency_key=key_of(request),
        )
    except Refusal as refused:
        return _sample_page(request, application, view, refused=refused, reason=reason, status=409)
    messages.success(request, gettext("已书面接受这份样本。"))
    return see_other("workbench:sample", sample_id)


@require_POST
def erase(request: HttpRequest, sample_id: int) -> HttpResponse:
    """Erase file and rows of a sample now; the report stays."""
    _, view = _in_sight(request, sample_id)
    erase_sample(actor=who(request), at=timezone.now(), sample_id=view.id, idempotency_key=key_of(request))
    messages.success(request, gettext("已删除原文件和逐行结果，质量报告保留。"))
    return see_other("workbench:sample", sample_id)


def _in_sight(request: HttpRequest, sample_id: int) -> tuple[ApplicationView, SampleView]:
    """Return a sample of an application that the actor may see. Raises NotFound."""
    view = activity.sample(sample_id)
    try:
        return application_in_sight(who(request), view.application_id), view
    except NotFound:
        raise NotFound(what="沙箱样本 / sample", id=sample_id) from None


def _may_judge(actor: Actor, view: ApplicationView) -> bool:
    return actor.has(Role.MAKER, area=organisation(view.organisation_id).area)


def _docking_page(
    request: HttpRequest,
    view: ApplicationView,
    *,
    form: SampleForm | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    most = rulebook.parameter(key=SIZE_PARAMETER, at=timezone.now()).value
    context: dict[str, Any] = {
        "title": gettext("技术对接"),
        "application": view,
        "may_try": may_try(who(request), view),
        "form": form or SampleForm(),
        "limit": gettext("最大 %(n)s KB") % {"n": int(most) // KILOBYTE} if most else "",
        "refused": refused,
        "columns": columns_section(view),
        "samples": samples_section(activity.samples(view.id)),
    }
    crumbs = crumbs_of(view, Crumb(gettext("技术对接")))
    return page(
        request, "workbench/docking.html", context, section="applications", crumbs=crumbs, status=status
    )


def _sample_page(
    request: HttpRequest,
    application: ApplicationView,
    view: SampleView,
    *,
    refused: Refusal | None = None,
    reason: str = "",
    status: int = 200,
) -> HttpResponse:
    actor = who(request)
    found = view.report
    kept = view.erased_at is None
    outcomes = activity.sample_outcomes(view.id, limit=ROWS_SHOWN) if kept else ()
    accepted_by = (
        workflow.actor_name(kind=view.acceptance.accepted_by_kind, id=view.acceptance.accepted_by_id)
        if view.acceptance
        else ""
    )
    judges = _may_judge(actor, application) and application.state in {"applied", "live"}
    context: dict[str, Any] = {
        "title": view.file_name,
        "sample": view,
        "application": application,
        "state": sample_verdict(view.verdict),
        "fault": activity.file_fault_text(found.fault, found.fault_at, locale()) if found.fault else "",
        "facts": sample_sheet.facts(view),
        "acceptance": sample_sheet.acceptance_facts(view, accepted_by),
        "lacking": sample_sheet.lacks(found),
        "first": [sample_sheet.score_section(found), sample_sheet.checks_section(found)],
        "sections": [] if found.fault else _sections(view, outcomes),
        "rows": sample_sheet.rows_section(view, _rows_shown(request, view)) if kept and not found.fault else None,
        "more_after": _more_after(request, view) if kept and not found.fault else None,
        "explained": _explained(request, view) if kept else None,
        "kept": kept,
        "may_accept": judges and view.current and view.acceptance is None,
        "may_erase": kept and (applies_for(actor, application) or _may_judge(actor, application)),
        "refused": refused,
        "reason": reason,
    }  # fmt: skip
    crumbs = crumbs_of(
        application,
        Crumb(gettext("技术对接"), reverse("workbench:docking", args=[application.id])),
        Crumb(view.file_name),
    )
    return page(
        request, "workbench/sample.html", context, section="applications", crumbs=crumbs, status=status
    )


def _sections(view: SampleView, outcomes: Any) -> list[Any]:
    found = view.report
    return [
        sample_sheet.reasons_section(found, outcomes),
        sample_sheet.columns_section(found),
        sample_sheet.completeness_section(found),
        sample_sheet.plausibility_section(found),
        sample_sheet.timeliness_section(found),
        sample_sheet.changes_section(found),
    ]


def _after(request: HttpRequest) -> int:
    after = request.GET.get("after", "")
    return int(after) if after.isdecimal() and len(after) < 12 else 0


def _rows_shown(request: HttpRequest, view: SampleView) -> Any:
    return activity.sample_rows(view.id, after_row=_after(request), limit=ROWS_SHOWN)


def _more_after(request: HttpRequest, view: SampleView) -> int | None:
    shown = _rows_shown(request, view)
    return shown[-1].row_number if len(shown) == ROWS_SHOWN else None


def _explained(request: HttpRequest, view: SampleView) -> dict[str, Any] | None:
    """Return the steps of the row that the address asks for; None where none was asked for, or it has none."""
    wanted = request.GET.get("row", "")
    if not wanted.isdecimal() or len(wanted) > 12:
        return None
    try:
        told = activity.explain_sample_row(view.id, int(wanted), locale=locale())
    except Refusal as refused:
        return {"number": wanted, "refused": refused.message(locale())}
    return {
        "number": wanted,
        "explanation": told,
        "steps": [
            {"step": step, "confidence": confidence_text(step.confidence) if step.confidence else ""}
            for step in told.steps
        ],
    }


def _with_mark(lines: Any) -> Any:
    """Begin with the mark by which spreadsheets know UTF-8."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}"
    yield from lines
