"""Documents of an application (申请材料): attach, take off, open."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.behaviour.activity.operations import attach_to_application, detach_from_application
from tanpuhui.behaviour.activity.queries import application_versions
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.sight import application_in_sight

BYTES_MAX = 20 * 1024 * 1024


class DocumentForm(forms.Form):
    """One document."""

    file = forms.FileField()


@require_POST
def attach(request: HttpRequest, application_id: int) -> HttpResponse:
    """Add a document to an application, as a new version of it. Raises Invalid where it is missing or too large."""
    view = application_in_sight(who(request), application_id)
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        raise Invalid(field="file", why=gettext("请选择一个文件"))
    upload: Any = form.cleaned_data["file"]
    if upload.size > BYTES_MAX:
        raise Invalid(field="file", why=gettext("文件超过 20 MB"))
    attach_to_application(
        actor=who(request),
        at=timezone.now(),
        application_id=view.id,
        version=view.version,
        name=upload.name,
        media_type=upload.content_type or "application/octet-stream",
        content=upload.read(),
        idempotency_key=key_of(request),
    )
    messages.success(request, gettext("已附上材料。"))
    return see_other("workbench:application", application_id)


@require_POST
def detach(request: HttpRequest, application_id: int, sha256: str) -> HttpResponse:
    """Take a document off; earlier versions keep it."""
    view = application_in_sight(who(request), application_id)
    detach_from_application(
        actor=who(request),
        at=timezone.now(),
        application_id=view.id,
        version=view.version,
        sha256=sha256,
        idempotency_key=key_of(request),
    )
    messages.success(request, gettext("已移除材料，以前的版本里还在。"))
    return see_other("workbench:application", application_id)


@require_safe
def document(request: HttpRequest, application_id: int, sha256: str) -> FileResponse:
    """Send a document that some version of the application holds, always as a download. Raises NotFound."""
    view = application_in_sight(who(request), application_id)
    found = next(
        (
            one
            for saved in application_versions(view.id)
            for one in saved.content.documents
            if one.sha256 == sha256
        ),
        None,
    )
    if found is None:
        raise NotFound(what="申请材料 / document", id=sha256)
    return FileResponse(
        open_document(sha256),
        as_attachment=True,
        filename=found.name,
        content_type="application/octet-stream",
    )
