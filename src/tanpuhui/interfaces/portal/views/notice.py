"""One notice (公示): what, until when, by which rule and by whom, its documents, and what was said and answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import NewFile, comment_limits, comment_on_notice
from tanpuhui.foundation.workflow.queries import NOT_ESTABLISHED, NoticeState, NoticeView
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.design.rule_words import confidence_words, notice_state, role_name
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.interfaces.portal.notice_parts import part_of
from tanpuhui.interfaces.portal.views.notice_comments import key_of, new_form, own_comments, who
from tanpuhui.interfaces.portal.views.notices import (
    SECTION,
    applicants_of,
    area_names,
    days_total,
    organisation_names,
)


@require_safe
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show one notice: what, until when and by which rule, who decides, files, and what was said and answered."""
    view = workflow.notice(notice_id, at=timezone.now())
    return show(request, view)


def show(
    request: HttpRequest,
    view: NoticeView,
    *,
    form: Any = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of a notice, with the form of a comment where one can be made."""
    actor: Actor | None = getattr(request, "actor", None)
    places = area_names()
    part = part_of(view)
    in_charge = actor is not None and workflow.may_answer(actor, view)
    takes = view.state == NoticeState.RUNNING and actor is not None and not in_charge
    context: dict[str, Any] = {
        "view": view,
        "state": notice_state(view.state),
        "days_total": days_total(view),
        "days_used": max(days_total(view) - view.days_left, 0),
        "facts": _facts(view, applicants_of([view]), places),
        "basis": basis_text(view),
        "ways": _ways(view),
        "part": part,
        "published": _published(view),
        "unpublished": view.comments - view.answered,
        "own": [one for one in own_comments(actor, notice_id=view.notice_id) if one["said"].answer is None],
        "form": form or (new_form(request, actor) if takes and actor else None),
        "in_charge": in_charge,
        "refused": refused,
        "sign_in": f"{reverse('portal:sign-in')}?{urlencode({'next': reverse('portal:notice', args=[view.notice_id]) + '#say'})}",
        "running": view.state == NoticeState.RUNNING,
    }
    crumbs = (Crumb(gettext("公示公告"), reverse("portal:notices")), Crumb(view.number))
    response = page(request, "portal/notice.html", context, section=SECTION, crumbs=crumbs, status=status)
    if actor is not None:
        response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def document(request: HttpRequest, notice_id: int, sha256: str) -> FileResponse:
    """Send a document that is published with a notice; its SHA-256 is its address."""
    view = workflow.notice(notice_id, at=timezone.now())
    found = next((one for one in view.documents if one.sha256 == sha256), None)
    if found is None:
        raise Http404
    response = FileResponse(
        open_document(sha256),
        as_attachment=True,
        filename=found.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Take a comment; a refused one comes back with everything that was written."""
    if request.method != "POST":
        return redirect(_said_at(notice_id, "say"))
    actor = who(request)
    view = workflow.notice(notice_id, at=timezone.now())
    form = new_form(request, actor, request.POST)
    if not form.is_valid():
        return show(request, view, form=form, status=422)
    given = form.cleaned_data
    try:
        comment_on_notice(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            notice_id=notice_id,
            name=given["name"],
            text=given["text"],
            objection=given["kind"] == "objection",
            name_public=given["name_public"],
            organisation_id=int(given["organisation"]) if given.get("organisation") else None,
            files=_files(request),
        )
    except Refusal as refusal:
        now = workflow.notice(notice_id, at=timezone.now())
        return show(request, now, form=form, refused=refusal, status=status_of(refusal.code))
    messages.success(request, gettext("已收到。承办人员现在就能看到，答复以后连同你的意见一起公开。"))
    response = redirect(_said_at(notice_id, "own"))
    response.status_code = 303
    return response


def basis_text(view: NoticeView) -> tuple[str, str]:
    """Say where the number of days comes from, and how far that can be trusted."""
    if view.days_confidence == NOT_ESTABLISHED:
        return gettext("没有规则规定天数，由办理人员决定。理由：%(reason)s") % {"reason": view.days_basis}, ""
    return view.days_basis, confidence_words(view.days_confidence) if view.days_confidence else ""


def _facts(view: NoticeView, applicants: Mapping[int, str], places: Mapping[str, str]) -> list[Fact]:
    facts = [
        Fact(
            pgettext("notice", "类别"),
            gettext("%(process)s，%(step)s")
            % {
                "process": worded(view.process_zh, view.process_en),
                "step": worded(view.step_zh, view.step_en),
            },
        ),
        *_applicant(view, applicants),
        Fact(gettext("地区"), places.get(view.area, view.area)),
        Fact(gettext("案件编号"), view.number, mono=True),
        Fact(gettext("开始"), f"{view.opens_on:%Y-%m-%d}"),
        Fact(gettext("截止"), f"{view.last_day:%Y-%m-%d}"),
    ]
    if view.closed_at is not None:
        facts.append(Fact(gettext("结果"), worded(view.result, view.result_en)))
        facts.append(Fact(gettext("结果日期"), f"{figures.local_day(view.closed_at):%Y-%m-%d}"))
    return facts


def _applicant(view: NoticeView, applicants: Mapping[int, str]) -> list[Fact]:
    """Name the applicant; a case that no organisation applied for has none to name."""
    if view.organisation_id is None:
        return []
    return [Fact(gettext("申请方"), applicants[view.organisation_id])]


def _ways(view: NoticeView) -> list[tuple[str, str]]:
    """Return who takes the case on, and how, in words."""
    return [
        (
            gettext("系统，期满且没有未答复或成立的异议时")
            if way.role == Role.SYSTEM
            else role_name(way.role),
            worded(way.label_zh, way.label_en),
        )
        for way in view.ways
    ]


def _published(view: NoticeView) -> list[dict[str, Any]]:
    found = workflow.published_comments(view.notice_id)
    ids = {one.organisation_id for one in found} | {one.answer.organisation_id for one in found}
    names = organisation_names(ids - {None})
    return [
        {
            "said": one,
            "organisation": names.get(one.organisation_id or 0, ""),
            "answered_by": names.get(one.answer.organisation_id or 0, role_name(one.answer.role)),
        }
        for one in found
    ]


def _files(request: HttpRequest) -> Sequence[NewFile]:
    """Read the files, none further than one byte beyond what is taken, so that a huge one costs no memory."""
    limits = comment_limits(timezone.now())
    return [
        NewFile(name=one.name or "", content=one.read(limits.file_bytes_max + 1))
        for one in request.FILES.getlist("attachments")[: limits.files_max + 1]
    ]


def _said_at(notice_id: int, anchor: str) -> str:
    return f"{reverse('portal:notice', args=[notice_id])}#{anchor}"
