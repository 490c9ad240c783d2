"""The field mapping (字段映射) of an application: write it, see what it makes of a file, save it, put it in force."""

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

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import save_mapping, switch_mapping
from tanpuhui.behaviour.activity.queries import ApplicationView, MappingPreview
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, at_moment
from tanpuhui.interfaces.workbench.sight import application_in_sight
from tanpuhui.interfaces.workbench.views.applications import EDITABLE, applies_for, crumbs_of
from tanpuhui.interfaces.workbench.words import locale

MAPPED = activity.MAPPED
DOCUMENT_BYTES_MAX = 64 * 1024
SIZE_PARAMETER = "sandbox.file_bytes_max"


class MappingForm(forms.Form):
    """A mapping as text or as a file, and a file of the partner to look at it with; the file is read and not kept."""

    document = forms.CharField(label=gettext_lazy("字段映射"), required=False, strip=False)
    document_file = forms.FileField(required=False)
    sample = forms.FileField(required=False)
    version = forms.IntegerField()

    def clean(self) -> dict[str, Any]:
        """Take the text out of the file where one was chosen."""
        given: dict[str, Any] = super().clean() or {}
        upload = given.get("document_file")
        if upload is not None:
            try:
                # One byte more than allowed is enough to be refused.
                given["document"] = upload.read(DOCUMENT_BYTES_MAX + 1).decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("document_file", gettext("这个文件不是 UTF-8 编码的文本。"))
        return given


@require_http_methods(["GET", "HEAD", "POST"])
def mapping(request: HttpRequest, application_id: int) -> HttpResponse:
    """Show the mapping; with `act`, show what it makes of a file (preview) or save it as the next version."""
    view = _in_sight(request, application_id)
    if request.method != "POST":
        return _page(request, view, _document(view))
    form = MappingForm(request.POST, request.FILES)
    seen: list[MappingPreview] = []

    def perform(given: Mapping[str, Any]) -> int:
        if request.POST.get("act") == "preview":
            seen.append(_previewed(view, given))
            return 0
        return save_mapping(
            actor=who(request),
            at=timezone.now(),
            application_id=view.id,
            version=given["version"],
            document=given["document"],
            idempotency_key=key_of(request),
        ).version

    attempt = Attempt(form, perform)
    if attempt.done:
        messages.success(request, gettext("已保存为第 %(n)s 版。") % {"n": attempt.done})
        return see_other("workbench:mapping", application_id)
    typed = form.cleaned_data.get("document", request.POST.get("document", ""))
    return _page(
        request,
        view,
        typed,
        errors=[str(error) for several in form.errors.values() for error in several],
        refused=attempt.refused,
        status=attempt.status,
        preview=seen[0] if seen else None,
    )


@require_safe
def mapping_file(request: HttpRequest, application_id: int) -> HttpResponse:
    """Send the mapping as it was saved."""
    view = _in_sight(request, application_id)
    if not view.content.mapping:
        raise NotFound(what="字段映射 / field mapping", id=application_id)
    response = HttpResponse(view.content.mapping, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="mapping-{view.content.code}-{view.version}.yaml"'
    )
    return response


@require_POST
def switch(request: HttpRequest, application_id: int) -> HttpResponse:
    """Put the newest mapping of a live feed in force; what stands against it is said on the page."""
    view = _in_sight(request, application_id)
    version = request.POST.get("version", "")
    try:
        done = switch_mapping(
            actor=who(request),
            at=timezone.now(),
            application_id=view.id,
            version=int(version) if version.isdecimal() and len(version) < 9 else 0,
            idempotency_key=key_of(request),
        )
    except Refusal as refused:
        return _page(request, view, _document(view), refused=refused, status=409)
    messages.success(request, gettext("字段映射第 %(n)s 版已生效。") % {"n": done.mapping_version})
    return see_other("workbench:mapping", application_id)


def _in_sight(request: HttpRequest, application_id: int) -> ApplicationView:
    """Return an application in sight whose files are in the partner's own format. Raises NotFound."""
    view = application_in_sight(who(request), application_id)
    if view.content.adapter != MAPPED:
        raise NotFound(what="字段映射 / field mapping", id=application_id)
    return view


def _document(view: ApplicationView) -> str:
    fields = activity.methodology_fields(view.content, day=timezone.localdate())
    return view.content.mapping or activity.mapping_to_begin(view.content, fields)


def _previewed(view: ApplicationView, given: Mapping[str, Any]) -> MappingPreview:
    upload = given["sample"]
    if upload is None:
        raise Invalid(field="sample", why="请选一份样本文件 / choose a sample file")
    most = int(rulebook.require_parameter(key=SIZE_PARAMETER, at=timezone.now()).value or 0)
    content = upload.read(most + 1)
    if len(content) > most:
        raise Invalid(field="sample", why=f"> {most} B")
    return activity.preview_mapping(
        document=given["document"],
        scenario=view.content.code,
        file_name=upload.name,
        media_type=upload.content_type or "application/octet-stream",
        content=content,
        at=timezone.now(),
    )


def may_write(actor: Actor, view: ApplicationView) -> bool:
    """Say whether the actor can save a mapping now: a draft, one that was returned, and one that is live."""
    party = (
        applies_for(actor, view)
        or actor.has(Role.PARTNER, organisation_id=view.content.partner_id)
        or actor.has(Role.MAKER, area=organisation(view.organisation_id).area)
    )
    return party and (view.state in EDITABLE or view.state == "live")


def _page(
    request: HttpRequest,
    view: ApplicationView,
    document: str,
    *,
    errors: list[str] | None = None,
    refused: Refusal | None = None,
    preview: MappingPreview | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = who(request)
    stands = activity.mapping_versions(view.feed_id) if view.feed_id is not None else ()
    pending = view.state == "live" and (not stands or stands[0].document != view.content.mapping)
    context = {
        "title": gettext("字段映射"),
        "application": view,
        "document": document,
        "begun": not view.content.mapping,
        "may_write": may_write(actor, view),
        "lacking": [
            one.text(locale())
            for one in activity.application_lacks(view.content, at=timezone.now())
            if one.field == "mapping"
        ]
        if view.content.mapping
        else [],
        "pending": pending,
        "in_force": stands[0].version if stands else None,
        "may_switch": pending and actor.has(Role.MAKER, area=organisation(view.organisation_id).area),
        "proof": _proof(view) if pending else None,
        "errors": errors or [],
        "refused": refused,
        "preview": _shown(preview) if preview is not None else None,
        "stands": _stands(stands) if stands else None,
    }
    crumbs = crumbs_of(view, Crumb(gettext("字段映射")))
    return page(
        request, "workbench/mapping.html", context, section="applications", crumbs=crumbs, status=status
    )


def _proof(view: ApplicationView) -> dict[str, Any]:
    """Return which sample proves the saved mapping, or why none does yet."""
    try:
        found = activity.sample_in_force(view.id)
    except Refusal as refused:
        return {"refused": refused.message(locale())}
    return {"url": reverse("workbench:sample", args=[found.id]), "name": found.file_name}


def _shown(preview: MappingPreview) -> list[dict[str, Any]]:
    """Return each row with its fields side by side; the first row and those that are refused stand open."""
    where = dict(preview.columns)
    return [
        {
            "number": row.row_number,
            "open": place == 0 or not row.is_read,
            "is_read": row.is_read,
            "reason": row.text(locale()),
            "code": row.reason,
            "value": row.value,
            "cells": [
                {
                    "code": cell.code,
                    "column": where[cell.code] or gettext("常数"),
                    "source": cell.source,
                    "value": cell.value,
                    "fault": cell.reason,
                    "reason": cell.text(locale()),
                }
                for cell in row.cells
            ],
        }
        for place, row in enumerate(preview.rows)
    ]


def _stands(stands: tuple[activity.MappingView, ...]) -> Section:
    return Section(
        title=gettext("生效过的版本"),
        columns=(
            Column(gettext("映射")),
            Column(gettext("生效"), "soft"),
            Column(gettext("由谁")),
            Column(gettext("申请版本")),
            Column("SHA-256", "mono"),
        ),
        rows=[
            Row(
                (
                    gettext("第 %(n)s 版") % {"n": one.version},
                    at_moment(one.in_force_from),
                    workflow.actor_name(kind=one.by_kind, id=one.by_id),
                    gettext("第 %(n)s 版") % {"n": one.application_version}
                    if one.application_version
                    else "",
                    one.document_sha256[:16],
                )
            )
            for one in stands
        ],
        note=gettext("每个文件按收到时生效的那一版读取，以后也一样。"),
    )
