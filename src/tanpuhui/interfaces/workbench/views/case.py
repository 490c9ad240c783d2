"""One case (办件): shown, decided, attached to, remarked on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import (
    Attached,
    Decided,
    Remarked,
    attach_file,
    decide,
    remark,
    take_archive,
)
from tanpuhui.foundation.workflow.queries import attachment_type
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.archive_package import package
from tanpuhui.interfaces.workbench.letter_sheet import letter_pdf
from tanpuhui.interfaces.workbench.sight import case_in_sight
from tanpuhui.interfaces.workbench.views import case_page


class DecisionForm(forms.Form):
    """A decision with its opinion, and the step that the person had before them."""

    decision = forms.CharField(max_length=64)
    opinion = forms.CharField(required=False, strip=True)
    seen_step = forms.IntegerField(min_value=0)


class AttachForm(forms.Form):
    """One file of a kind."""

    kind = forms.CharField(max_length=64)
    file = forms.FileField()


class RemarkForm(forms.Form):
    """A remark on an item, or an answer to one; `seen_answer` is the last answer that was on the screen."""

    item = forms.CharField(max_length=200, required=False)
    text = forms.CharField(required=False)
    answers = forms.IntegerField(required=False)
    seen_answer = forms.IntegerField(required=False)
    settles = forms.BooleanField(required=False)


@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show a case; a POST decides it. A decision that came too late shows what happened and keeps all that was written."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    if request.method != "POST":
        return case_page.show(request, view)
    form = DecisionForm(request.POST)

    def perform(given: Any) -> Decided:
        return decide(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            outcome=given["decision"],
            opinion=given["opinion"],
            seen_step=given["seen_step"],
            values=_values(request, given["decision"]),
        )

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        messages.success(request, gettext("已提交，写入过程。"))
        return see_other("workbench:case", case_id)
    return case_page.show(
        request,
        workflow.case(case_id),
        refused=attempt.refused,
        kept=request.POST.dict(),
        status=attempt.status,
    )


def _values(request: HttpRequest, outcome: str) -> dict[str, str]:
    """Return what was entered for the values that this outcome asks for; those of the other outcomes are not sent on."""
    prefix = f"{case_page.VALUE_PREFIX}:{outcome}:"
    names = [name for name in request.POST if name.startswith(prefix)]
    return {name.removeprefix(prefix): request.POST.get(name, "") for name in names}


@require_POST
def attach(request: HttpRequest, case_id: int) -> HttpResponse:
    """Put a file on a case; the same kind and name again is its next version."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    form = AttachForm(request.POST, request.FILES)

    def perform(given: Any) -> Attached:
        upload = given["file"]
        return attach_file(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            kind=given["kind"],
            name=upload.name,
            content=upload.file,
            size=upload.size,
        )

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        said = gettext("附件已收下，第 %(n)s 版。") % {"n": attempt.done.version}
        messages.success(request, said)
        return see_other("workbench:case", case_id)
    if attempt.refused is None:
        messages.error(request, gettext("没有收到文件。请选择一个不为空的文件和它的种类。"))
    return case_page.show(
        request, view, refused=attempt.refused, kept=request.POST.dict(), status=attempt.status
    )


@require_POST
def write_remark(request: HttpRequest, case_id: int) -> HttpResponse:
    """Write a remark or an answer; whoever answers too late sees the first answer and keeps the text."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    form = RemarkForm(request.POST)

    def perform(given: Any) -> Remarked:
        return remark(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            case_id=case_id,
            item=given["item"],
            text=given["text"],
            answers=given["answers"],
            settles=given["settles"],
            seen_answer=given["seen_answer"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        messages.success(request, gettext("意见已写入案卷。"))
        return see_other("workbench:case", case_id)
    return case_page.show(
        request, view, refused=attempt.refused, kept=request.POST.dict(), status=attempt.status
    )


@require_safe
def letter(request: HttpRequest, case_id: int, letter_id: int) -> HttpResponse:
    """Send the letter of a decision as PDF to somebody who may see its case; the same letter gives the same bytes."""
    case_in_sight(who(request), case_id)
    found = workflow.letter(case_id=case_id, letter_id=letter_id)
    response = HttpResponse(letter_pdf(found).content, content_type="application/pdf")
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(found.number)}.pdf"
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def letter_signature(request: HttpRequest, case_id: int, letter_id: int) -> HttpResponse:
    """Send the detached signature of a letter, where this installation makes one. Raises NotFound."""
    case_in_sight(who(request), case_id)
    found = workflow.letter(case_id=case_id, letter_id=letter_id)
    signature = letter_pdf(found).signature
    if not signature:
        raise NotFound(what="分离签名 / detached signature", id=letter_id)
    response = HttpResponse(signature, content_type="application/json")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.number)}.sig.json"
    return response


@require_POST
def archive(request: HttpRequest, case_id: int) -> StreamingHttpResponse | HttpResponse:
    """Hand out the archive package of a closed case, with a line in the audit; it is written while it is sent."""
    actor = who(request)
    view = case_in_sight(actor, case_id)
    try:
        take_archive(actor=actor, at=timezone.now(), idempotency_key=key_of(request), case_id=case_id)
    except Refusal as refused:
        return case_page.show(request, view, refused=refused, status=status_of(refused.code))
    response = StreamingHttpResponse(
        package(workflow.archive_content(case_id)), content_type="application/zip"
    )
    response["Content-Disposition"] = (
        f"attachment; filename=\"{view.number}.zip\"; filename*=UTF-8''{quote(view.number)}.zip"
    )
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def download(request: HttpRequest, case_id: int, attachment_id: int) -> FileResponse:
    """Send one version of an attachment to somebody who may see its case: as a file to keep, never to run in the page."""
    view = case_in_sight(who(request), case_id)
    paper = workflow.attachment(case_id=view.case_id, attachment_id=attachment_id)
    response = FileResponse(
        open_document(paper.sha256),
        as_attachment=True,
        filename=paper.name,
        content_type=attachment_type(paper.name),
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    response["Digest"] = f"sha-256={paper.sha256}"
    return response
