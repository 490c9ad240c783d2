"""Writing a methodology (方法学草稿): begin, edit with a check as one types, compare with the version before, propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.foundation.identity.queries import organisation, people
from tanpuhui.foundation.kernel.errors import Invalid, Refusal
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.design.science import change_rows
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, state_mark
from tanpuhui.interfaces.workbench.sight import draft_in_sight
from tanpuhui.interfaces.workbench.views.draft_correction import correct
from tanpuhui.interfaces.workbench.views.draft_parts import (
    checked,
    crumbs_of,
    draft_state,
    file_tabs,
    hindrances,
    path_of,
    patience,
    revision_of,
    tabs_of,
    text_at,
    text_difference,
    title_of,
    version_before,
    with_text,
)
from tanpuhui.interfaces.workbench.words import worded
from tanpuhui.science.engine import difference
from tanpuhui.science.engine.authoring import PARAMETER_SET_FILE, check_folder
from tanpuhui.science.engine.blank import blank_folder
from tanpuhui.science.engine.unpack import MAIN_FILE, unpack
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import (
    DRAFTERS,
    DraftChanged,
    DraftSaved,
    close_draft,
    open_draft,
    propose_draft,
    save_draft,
)
from tanpuhui.science.methodology.queries import DraftFiles, DraftView

ZIP_BYTES_MAX = 4 * 1024 * 1024
NOT_REVISED = frozenset({"rejected", "replaced", "withdrawn"})


class NewForm(forms.Form):
    """Where a draft begins: from nothing, from a version of the library, or from a folder as a ZIP."""

    organisation = forms.ChoiceField(label=gettext_lazy("机构"))
    source = forms.ChoiceField(
        label=gettext_lazy("从哪里开始"),
        widget=forms.RadioSelect,
        choices=(
            ("blank", gettext_lazy("空白方法学，每个必填的地方都有提示")),
            ("version", gettext_lazy("库里的一个版本，作为修订的起点")),
            ("upload", gettext_lazy("本机的文件夹，打成一个 ZIP 上传")),
        ),
        initial="blank",
    )
    version = forms.ChoiceField(label=gettext_lazy("版本"), required=False)
    file = forms.FileField(label=gettext_lazy("ZIP 文件"), required=False, widget=forms.FileInput)

    def clean(self) -> dict[str, Any]:
        """Ask for the version or the file where the draft begins with it."""
        given = super().clean() or {}
        if given.get("source") == "version" and not given.get("version"):
            self.add_error("version", gettext("请选择一个版本。"))
        if given.get("source") == "upload" and not given.get("file"):
            self.add_error("file", gettext("请选择一个 ZIP 文件。"))
        return given


@require_safe
def drafts(request: HttpRequest) -> HttpResponse:
    """List the drafts of the actor's organisations, the one saved last first."""
    actor = who(request)
    found = methodology.drafts(organisation_ids=actor.organisation_ids(*DRAFTERS))
    names = people([int(view.saved_by) for view in found if view.saved_by.isdecimal()])
    section = Section(
        columns=(
            Column(gettext("草稿")),
            Column(gettext("状态")),
            Column(gettext("稿次"), "num"),
            Column(gettext("最后保存"), "soft"),
            Column(gettext("保存人"), "soft"),
        ),
        rows=[
            Row(
                (
                    title_of(view),
                    state_mark(draft_state(view.state)),
                    str(view.revision),
                    at_moment(view.saved_at),
                    names[int(view.saved_by)].display_name
                    if view.saved_by.isdecimal() and int(view.saved_by) in names
                    else "",
                ),
                url=reverse("workbench:draft", args=[view.id]),
            )
            for view in found
        ],
        empty=gettext("还没有草稿。"),
        empty_next=gettext("新开一份，边写边核对，写好以后提出备案。"),
    )
    context = {
        "title": gettext("方法学草稿"),
        "lead": gettext("草稿只有本机构的人看得到。提出备案以后成为一个版本，由专家委员会评估。"),
        "ways": [Way(label=gettext("新开草稿"), url=reverse("workbench:new-draft"), kind="main")],
        "sections": [section],
    }
    return page(
        request,
        "workbench/sheet.html",
        context,
        section="drafts",
        crumbs=(Crumb(gettext("方法学草稿")),),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a draft; what it begins with need not be sound."""
    actor = who(request)
    form = NewForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        initial={"version": request.GET.get("version", ""), "source": "version"}
        if "version" in request.GET
        else {},
    )
    own = [organisation(one) for one in actor.organisation_ids(*DRAFTERS)]
    set_choices(form, "organisation", [(str(one.id), worded(one.name, one.name_en)) for one in own])
    set_choices(form, "version", [("", "—"), *_revisable([one.id for one in own])])

    def perform(given: Mapping[str, Any]) -> DraftSaved:
        start = _start(given)
        based = given["version"] if given["source"] == "version" else ""
        return open_draft(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            organisation_id=int(given["organisation"]),
            files=start.files,
            parameter_set=start.parameter_set,
            based_on_id=int(based) if based else None,
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is not None and attempt.done is not None:
        return see_other("workbench:draft", attempt.done.draft_id)
    context = {"form": form, "refused": attempt.refused if attempt else None, "single": len(own) == 1}
    crumbs = (Crumb(gettext("方法学草稿"), reverse("workbench:drafts")), Crumb(gettext("新开草稿")))
    return page(
        request,
        "workbench/draft_new.html",
        context,
        section="drafts",
        crumbs=crumbs,
        status=attempt.status if attempt else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Edit one file of a draft; saving is refused where somebody saved in between, and shows what differs."""
    actor = who(request)
    view = draft_in_sight(actor, draft_id)
    held = methodology.draft_files(draft_id)
    path = path_of(request, held)
    if request.method != "POST":
        return _editor(request, view, held, path=path, text=text_at(held, path))
    text = request.POST.get("text", "")
    try:
        saved = save_draft(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            draft_id=draft_id,
            revision=revision_of(request),
            changes={path: text},
        )
    except Refusal as refusal:
        view, held = methodology.draft(draft_id), methodology.draft_files(draft_id)
        return _editor(request, view, held, path=path, text=text, refused=refusal)
    messages.success(request, gettext("已保存为第 %(n)s 稿。") % {"n": saved.revision})
    return _to_file(draft_id, path)


@require_POST
def check(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Check the draft with the text as it is being typed, without saving it."""
    view = draft_in_sight(who(request), draft_id)
    held = methodology.draft_files(draft_id)
    path = path_of(request, held)
    return render(
        request,
        "workbench/parts/draft_check.html",
        checked(view, with_text(held, path, request.POST.get("text", "")), path),
    )


@require_POST
def file(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Add an empty file to a draft, or take one away."""
    actor = who(request)
    draft_in_sight(actor, draft_id)
    path = request.POST.get("path", "").strip()
    taking = request.POST.get("act") == "remove"
    if taking and path == MAIN_FILE:
        raise Invalid(field="path", why=f"{MAIN_FILE} 不能删除 / {MAIN_FILE} cannot be removed")
    save_draft(
        actor=actor,
        at=timezone.now(),
        idempotency_key=key_of(request),
        draft_id=draft_id,
        revision=revision_of(request),
        changes={path: None if taking else ""},
    )
    return _to_file(draft_id, MAIN_FILE if taking else path)


@require_safe
def compare(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Show what distinguishes a draft, as saved, from the version that it revises."""
    view = draft_in_sight(who(request), draft_id)
    held = methodology.draft_files(draft_id)
    found = check_folder(held.files, parameter_set=held.parameter_set, cases=False)
    before = version_before(view, found.version)
    title = title_of(view, found.version)
    changes = difference(methodology.loaded(before.id), found.version) if before and found.version else ()
    context = {
        "draft": view,
        "title": title,
        "tabs": tabs_of(view, "draft-difference"),
        "sound": found.version is not None,
        "before": before,
        "telling": change_rows([one for one in changes if one.changes_result]),
        "harmless": change_rows([one for one in changes if not one.changes_result]),
    }
    return page(
        request,
        "workbench/draft_difference.html",
        context,
        section="drafts",
        crumbs=crumbs_of(view, title, gettext("与上一版比较")),
    )


class ProposeForm(forms.Form):
    """From which day the version is to hold; the day of filing where none is given."""

    valid_from = forms.DateField(
        label=gettext_lazy("拟适用自"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("不填则自备案之日起。"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Propose a draft for filing: it becomes a version, and its case is opened."""
    actor = who(request)
    view = draft_in_sight(actor, draft_id)
    form = ProposeForm(request.POST if request.method == "POST" else None)
    returned = methodology.filing_to_correct(
        based_on_id=view.based_on_id, organisation_id=view.organisation_id
    )
    if returned is not None and view.state == "open":
        return correct(request, view, returned)
    attempt = None
    if request.method == "POST":
        attempt = Attempt(
            form,
            lambda given: propose_draft(
                actor=actor,
                at=timezone.now(),
                idempotency_key=key_of(request),
                draft_id=draft_id,
                revision=revision_of(request),
                valid_from=given["valid_from"],
            ),
        )
        if attempt.done is not None:
            done = attempt.done
            messages.success(
                request, gettext("已提出备案，办件 %(number)s，等待专家委员会。") % {"number": done.number}
            )
            return see_other("workbench:case", done.case_id)
    held = methodology.draft_files(draft_id)
    found = check_folder(held.files, parameter_set=held.parameter_set, enough=patience())
    title = title_of(view, found.version)
    context = {
        "draft": view,
        "title": title,
        "tabs": tabs_of(view, "draft-propose"),
        "form": form,
        "refused": attempt.refused if attempt else None,
        "hindrances": hindrances(found),
        "open": view.state == "open",
        "version": found.version,
        "agreeing": len(found.outcomes),
    }
    return page(
        request,
        "workbench/draft_propose.html",
        context,
        section="drafts",
        crumbs=crumbs_of(view, title, gettext("提出备案")),
        status=attempt.status if attempt else 200,
    )


@require_POST
def close(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Give a draft up."""
    actor = who(request)
    draft_in_sight(actor, draft_id)
    close_draft(
        actor=actor,
        at=timezone.now(),
        idempotency_key=key_of(request),
        draft_id=draft_id,
        revision=revision_of(request),
    )
    messages.success(request, gettext("已放弃这份草稿，它仍在记录里。"))
    return see_other("workbench:drafts")


def _revisable(organisation_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return the versions that a draft may begin with, by code, newest first; a returned one is its own applicant's."""
    return [
        (str(view.id), f"{view.code} {worded(view.name_zh, view.name_en)} {view.version}")
        for view in methodology.library()
        if view.state not in NOT_REVISED
        and (view.state != "returned" or _returned_to(view.id, organisation_ids))
    ]


def _returned_to(version_id: int, organisation_ids: Sequence[int]) -> bool:
    return any(
        methodology.filing_to_correct(based_on_id=version_id, organisation_id=one) for one in organisation_ids
    )


def _start(given: Mapping[str, Any]) -> DraftFiles:
    """Return what a draft begins with; a parameter set in the ZIP goes beside the folder."""
    if given["source"] == "version":
        version_id = int(given["version"])
        return DraftFiles(
            files=methodology.files(version_id), parameter_set=methodology.parameter_set_bytes(version_id)
        )
    if given["source"] == "upload":
        if given["file"].size > ZIP_BYTES_MAX:
            raise Invalid(field="file", why="ZIP 超过 4 MB / the ZIP exceeds 4 MB")
        files = unpack(given["file"].read())
        return DraftFiles(files=files, parameter_set=files.pop(PARAMETER_SET_FILE, None))
    return DraftFiles(files=blank_folder(), parameter_set=None)


def _to_file(draft_id: int, path: str) -> HttpResponse:
    response = redirect(f"{reverse('workbench:draft', args=[draft_id])}?{urlencode({'file': path})}")
    response.status_code = 303
    return response


def _editor(
    request: HttpRequest,
    view: DraftView,
    held: DraftFiles,
    *,
    path: str,
    text: str,
    refused: Refusal | None = None,
) -> HttpResponse:
    """Show a file with what checking the draft with this text found; after a refusal, with what differs from the stored."""
    found = checked(view, with_text(held, path, text), path)
    title = title_of(view, found["version"])
    context: dict[str, Any] = found | {
        "title": title,
        "state": draft_state(view.state),
        "tabs": tabs_of(view, "draft"),
        "files": file_tabs(view, held, path),
        "path": path,
        "text": text,
        "lines": max(text.count("\n") + 1, 1),
        "open": view.state == "open",
        "removable": path not in {MAIN_FILE, PARAMETER_SET_FILE},
        "refused": refused,
        "unsaved": text_difference(text_at(held, path), text) if isinstance(refused, DraftChanged) else [],
    }
    return page(
        request,
        "workbench/draft.html",
        context,
        section="drafts",
        crumbs=crumbs_of(view, title),
        status=status_of(refused.code) if refused is not None else 200,
    )
