"""Panels as the centre sees them (专家组): the draw with candidates and recusals, opinions, exclusions, meetings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.documents.queries import document, open_document
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.design.review_words import conclusion_name
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import case_in_sight, runs
from tanpuhui.interfaces.workbench.views.panel_forms import (
    DrawForm,
    ExclusionForm,
    MeetingForm,
    MinutesForm,
)
from tanpuhui.interfaces.workbench.views.panel_parts import panel_page
from tanpuhui.interfaces.workbench.views.reviews import panel_title
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import (
    ExclusionProposed,
    ExpertExcluded,
    MeetingRecorded,
    PanelDrawn,
    draw_panel,
    exclude_expert,
    file_minutes,
    propose_exclusion,
    record_meeting,
)
from tanpuhui.science.methodology.queries import PanelView


@require_safe
def panels(request: HttpRequest) -> HttpResponse:
    """List the panels of the actor's area, those of running cases first."""
    actor = who(request)
    rows = []
    for panel in methodology.panels():
        if not runs(actor, workflow.case(panel.case_id).area):
            continue
        meeting = methodology.signed_meeting(panel.panel_id, version_id=panel.version_id)
        submitted = methodology.submitted_by(panel.panel_id, version_id=panel.version_id)
        rows.append(
            Row(
                (
                    panel.case_number,
                    panel_title(panel),
                    f"{len(panel.declared)} / {panel.seats_wanted}",
                    f"{sum(one.expert_number in submitted for one in panel.declared)} / {len(panel.declared)}",
                    state_mark(conclusion_name(meeting.conclusion)) if meeting else gettext("还没有"),
                    on_day(panel.drawn_at),
                ),
                url=reverse("workbench:panel", args=[panel.case_id]),
            )
        )
    section = Section(
        columns=(
            Column(gettext("办件号"), "mono"),
            Column(gettext("方法学")),
            Column(gettext("已声明 / 席位"), "num"),
            Column(gettext("意见 / 在席"), "num"),
            Column(gettext("结论")),
            Column(gettext("抽取"), "soft"),
        ),
        rows=rows,
        empty=gettext("还没有抽取过专家组。"),
        empty_next=gettext("备案案件受理以后，在办件页抽取。"),
    )
    context = {"title": gettext("专家评审"), "sections": [section]}
    crumbs = (Crumb(gettext("专家评审")),)
    return page(request, "workbench/sheet.html", context, section="panels", crumbs=crumbs)


@require_safe
def panel(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show the panel of a case, or the draw that makes one."""
    return panel_page(request, case_in_sight(who(request), case_id), draw=DrawForm())


@require_POST
def draw(request: HttpRequest, case_id: int) -> HttpResponse:
    """Draw the panel."""
    actor = who(request)
    case = case_in_sight(actor, case_id)
    form = DrawForm(request.POST)

    def perform(given: Mapping[str, Any]) -> PanelDrawn:
        return draw_panel(
            actor=actor,
            at=timezone.now(),
            case_id=case_id,
            fields=given["fields_"],
            idempotency_key=key_of(request),
            **form.terms(given),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return panel_page(request, case, draw=form, refused=attempt.refused, status=attempt.status)
    messages.success(
        request, gettext("已抽取，%(n)s 名专家等待声明。") % {"n": len(attempt.done.expert_numbers)}
    )
    return see_other("workbench:panel", case_id)


@require_POST
def propose(request: HttpRequest, case_id: int) -> HttpResponse:
    """Propose to take an expert off the panel."""
    actor = who(request)
    case, found = case_in_sight(actor, case_id), _panel(case_id)
    form = ExclusionForm(request.POST, panel=found)

    def perform(given: Mapping[str, Any]) -> ExclusionProposed:
        return propose_exclusion(
            actor=actor,
            at=timezone.now(),
            panel_id=found.panel_id,
            expert_number=given["expert"],
            reason=given["reason"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return panel_page(request, case, exclusion=form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("已提出，等待另一人确认。"))
    return see_other("workbench:panel", case_id)


@require_POST
def confirm(request: HttpRequest, case_id: int, exclusion_id: int) -> HttpResponse:
    """Confirm that an expert is taken off the panel."""
    actor = who(request)
    case = case_in_sight(actor, case_id)

    def perform(_: Mapping[str, Any]) -> ExpertExcluded:
        return exclude_expert(
            actor=actor, at=timezone.now(), exclusion_id=exclusion_id, idempotency_key=key_of(request)
        )

    attempt = Attempt(forms.Form(request.POST), perform)
    if attempt.done is None:
        return panel_page(request, case, refused=attempt.refused, status=attempt.status)
    said = (
        gettext("已移出，结论失效，案件回到专家评审。")
        if attempt.done.reconvened
        else gettext("已移出，席位由下一名递补。")
    )
    messages.success(request, said)
    return see_other("workbench:panel", case_id)


@require_POST
def meet(request: HttpRequest, case_id: int) -> HttpResponse:
    """Record a meeting."""
    actor = who(request)
    case, found = case_in_sight(actor, case_id), _panel(case_id)
    form = MeetingForm(request.POST, panel=found)

    def perform(given: Mapping[str, Any]) -> MeetingRecorded:
        held_at: datetime = given["held_at"]
        return record_meeting(
            actor=actor,
            at=timezone.now(),
            panel_id=found.panel_id,
            held_at=held_at,
            place=given["place"],
            agenda=given["agenda"],
            present=given["present"],
            chair=given["chair"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return panel_page(request, case, meeting=form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("评审会已登记，到会专家可以表决。"))
    return see_other("workbench:panel", case_id)


@require_POST
def minutes(request: HttpRequest, case_id: int, meeting_id: int) -> HttpResponse:
    """Put the minutes to a meeting."""
    actor = who(request)
    case = case_in_sight(actor, case_id)
    form = MinutesForm(request.POST, request.FILES)

    def perform(given: Mapping[str, Any]) -> MeetingRecorded:
        file = given["minutes"]
        return file_minutes(
            actor=actor,
            at=timezone.now(),
            meeting_id=meeting_id,
            content=file.read(),
            name=file.name,
            media_type=file.content_type or "application/octet-stream",
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return panel_page(request, case, minutes=form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("会议纪要已存。"))
    return see_other("workbench:panel", case_id)


@require_safe
def read_minutes(request: HttpRequest, case_id: int, meeting_id: int) -> HttpResponseBase:
    """Send the minutes of a meeting, always as a download: what was uploaded is never run on this site."""
    case_in_sight(who(request), case_id)
    found = next(
        (one for one in methodology.meetings(_panel(case_id).panel_id) if one.meeting_id == meeting_id), None
    )
    if found is None or not found.minutes_sha256:
        raise NotFound(what="会议纪要 / minutes", id=meeting_id)
    view = document(found.minutes_sha256)
    return FileResponse(
        open_document(view.sha256), as_attachment=True, filename=view.name, content_type=view.media_type
    )


def _panel(case_id: int) -> PanelView:
    found = methodology.panel_of_case(case_id)
    if found is None:
        raise NotFound(what="专家组 / panel", id=case_id)
    return found
