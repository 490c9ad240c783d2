"""The page of one case (办件页): head, subject, file, history, what can be decided and what else can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext

from tanpuhui.foundation.identity.queries import people
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import EvidenceMissing
from tanpuhui.foundation.workflow.queries import AvailableOutcome, CaseView, RelatedCase
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import may_see_case
from tanpuhui.interfaces.workbench.views import case_history, case_papers, case_subject, case_ways, notices
from tanpuhui.interfaces.workbench.views.filing_parts import filing_ways
from tanpuhui.interfaces.workbench.words import attachment_kind, locale, worded

VALUE_PREFIX = "value"
"""Before the name of a field for a value that an outcome asks for: value:<outcome>:<name>."""


def show(
    request: HttpRequest,
    view: CaseView,
    *,
    refused: Refusal | None = None,
    kept: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of a case; `kept` is what somebody wrote before a refusal, by field name, so that nothing is lost."""
    actor, kept = who(request), kept or {}
    lines = workflow.timeline(view.case_id)
    outcomes = workflow.available_outcomes(actor=actor, case_id=view.case_id, at=timezone.now())
    file = workflow.case_file(view.case_id)
    rights = workflow.case_rights(actor=actor, case_id=view.case_id)
    entries = case_history.entries(view, lines, file)
    context: dict[str, Any] = {
        "case": case_history.header(view, lines, outcomes),
        "view": view,
        "standing": case_history.standing_of(view),
        "assignee": _assignee(view),
        "parties": case_history.parties(view),
        "timeline": entries[: case_history.ENTRIES_SHOWN],
        "earlier": entries[case_history.ENTRIES_SHOWN :],
        "decisions": _choices(outcomes, kept),
        "opinion": kept.get("opinion", ""),
        "refused": refused,
        "kept": kept,
        "rights": rights,
        "file": file,
        "papers": case_papers.papers(view, file, outcomes, kept, rights),
        "related": case_history.related(_in_sight(actor, file.related)),
        "letters": case_papers.letters(view.case_id),
        "ways": case_ways.ways(view, rights),
        "process_url": f"{reverse('workbench:process', args=[view.process])}?case={view.case_id}",
        **case_subject.facts_of(view, lines),
        **filing_ways(view, actor),
        **notices.parts_of(actor, view),
    }
    crumbs = (Crumb(pgettext("rooms", "办件"), reverse("workbench:cases")), Crumb(view.number))
    return page(request, "workbench/case.html", context, section="inbox", crumbs=crumbs, status=status)


def _in_sight(actor: Actor, related: Sequence[RelatedCase]) -> list[RelatedCase]:
    """Return the related cases that the actor may see; the others are not even named."""
    return [one for one in related if may_see_case(actor, workflow.case(one.case_id))]


def _choices(outcomes: Sequence[AvailableOutcome], kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the buttons of the decision bar: what each asks for, what stands in its way, on whose behalf it would be."""
    chosen = kept.get("decision", "")
    return [
        {
            "value": found.outcome,
            "label": case_history.label_of(found),
            "selected": found.outcome == chosen and found.blocked is None,
            "blocked": _said(found.blocked),
            "needs": [attachment_kind(kind) for kind in found.evidence],
            "asks": [
                {
                    "name": (name := f"{VALUE_PREFIX}:{found.outcome}:{ask.name}"),
                    "label": worded(ask.label_zh, ask.label_en),
                    "kind": ask.kind,
                    "required": ask.required,
                    "value": kept.get(name, ""),
                }
                for ask in found.asks
            ],
        }
        for found in outcomes
    ]


def _assignee(view: CaseView) -> str:
    if view.assigned_to is None:
        return ""
    return people([view.assigned_to])[view.assigned_to].display_name


def _said(blocked: Refusal | None) -> str:
    """Say what stands in the way; missing attachments by the names that the page gives to their kinds."""
    if isinstance(blocked, EvidenceMissing):
        missing = blocked.data["missing"]
        kinds = [attachment_kind(str(kind)) for kind in missing] if isinstance(missing, list) else []
        return gettext("还缺附件：%(kinds)s。") % {"kinds": gettext("、").join(kinds)}
    return blocked.message(locale()) if blocked else ""
