"""A draft that corrects a returned filing (补正稿): it takes the place of the version inside its case."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.foundation.workflow.queries import case
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.views.draft_parts import (
    crumbs_of,
    hindrances,
    patience,
    revision_of,
    tabs_of,
    title_of,
)
from tanpuhui.science.engine.authoring import check_folder
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.operations import correct_filing_by_draft
from tanpuhui.science.methodology.queries import DraftView, FilingView


def correct(request: HttpRequest, view: DraftView, returned: FilingView) -> HttpResponse:
    """Hand a draft in as the corrected version; then the case is proposed again on its own page."""
    attempt = None
    if request.method == "POST":
        attempt = Attempt(
            forms.Form(request.POST),
            lambda _: correct_filing_by_draft(
                actor=who(request),
                at=timezone.now(),
                idempotency_key=key_of(request),
                draft_id=view.id,
                revision=revision_of(request),
            ),
        )
        if attempt.done is not None:
            messages.success(request, gettext("补正稿已放进办件。请写明改了什么，再重新提出。"))
            return see_other("workbench:case", attempt.done.case_id)
    held = methodology.draft_files(view.id)
    found = check_folder(held.files, parameter_set=held.parameter_set, enough=patience())
    title = title_of(view, found.version)
    about = case(returned.case_id) if returned.case_id is not None else None
    context = {
        "draft": view,
        "title": title,
        "tabs": tabs_of(view, "draft-propose"),
        "refused": attempt.refused if attempt else None,
        "hindrances": hindrances(found),
        "version": found.version,
        "number": about.number if about else "",
        "case_url": reverse("workbench:case", args=[returned.case_id]),
    }
    return page(
        request,
        "workbench/draft_correct.html",
        context,
        section="drafts",
        crumbs=crumbs_of(view, title, gettext("补正")),
        status=attempt.status if attempt else 200,
    )
