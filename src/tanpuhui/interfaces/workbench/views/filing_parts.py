"""What a filing case and an appointment show of themselves: how far the committee is, who was drawn, what was handed in."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.workflow.queries import CaseView
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Fact
from tanpuhui.interfaces.design.review_words import conclusion_name, field_names
from tanpuhui.interfaces.workbench.parts import digits, state_mark
from tanpuhui.interfaces.workbench.sight import applies, runs
from tanpuhui.interfaces.workbench.words import methodology_state, worded
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import ExpertTermView, FilingView

RETURNED = "returned"
"""The state of a filing case in which the applicant may put a corrected version in its place."""


def filing_parts(found: FilingView, view: CaseView) -> dict[str, Any]:
    """Return the state of the review, and the versions handed in before."""
    panel = methodology.panel_of_case(view.case_id)
    facts = []
    if panel is None:
        facts.append(Fact(gettext("专家组"), gettext("还没有抽取")))
    else:
        handed_in = methodology.submitted_by(panel.panel_id, version_id=found.version_id)
        counted = gettext("%(declared)s 名已声明，法定人数 %(quorum)s 名") % {
            "declared": len(panel.declared),
            "quorum": panel.quorum,
        }
        facts.append(Fact(gettext("专家组"), counted))
        submitted = sum(seat.expert_number in handed_in for seat in panel.declared)
        facts.append(
            Fact(
                gettext("评审意见"),
                gettext("%(n)s / %(all)s 份") % {"n": submitted, "all": len(panel.declared)},
            )
        )
        meeting = methodology.signed_meeting(panel.panel_id, version_id=found.version_id)
        facts.append(
            Fact(
                gettext("评审会结论"),
                state_mark(conclusion_name(meeting.conclusion)) if meeting else gettext("还没有"),
            )
        )
    earlier = [
        (one.version, state_mark(methodology_state(one.state)), one.archive_sha256)
        for one in (methodology.version(version_id) for version_id in found.version_ids)
        if one.id != found.version_id
    ]
    return {"facts": facts, "case_id": view.case_id, "earlier": earlier, "drawn": panel is not None}


def filing_ways(view: CaseView, actor: Actor) -> dict[str, Any]:
    """Return which pages of a filing's review are open to the actor; nothing for a case about something else."""
    found = methodology.filing_of_case(view.case_id)
    if found is None:
        return {}
    panel = methodology.panel_of_case(view.case_id)
    number = methodology.expert_of(actor)
    mine = panel is not None and number in {seat.expert_number for seat in panel.seats}
    return {
        "may_panel": runs(actor, view.area),
        "may_reply": panel is not None and applies(actor, view),
        "correct_id": found.version_id if view.state == RETURNED and applies(actor, view) else None,
        "review_id": panel.panel_id if panel is not None and mine else None,
    }


def term_facts(term: ExpertTermView) -> list[Fact]:
    """Return who is proposed for the pool, for which fields and how long."""
    body = organisation(term.organisation_id)
    return [
        Fact(
            gettext("专家"),
            f"{term.name} {term.title}",
            url=reverse("workbench:expert", args=[term.expert_number]),
        ),
        Fact(gettext("专业领域"), field_names(term.fields)),
        Fact(gettext("推荐机构"), worded(body.name, body.name_en)),
        Fact(gettext("工作单位"), f"{term.employer_name} {term.employer_uscc}"),
        Fact(gettext("聘期"), f"{term.term_from:%Y-%m-%d} {figures.EN_DASH} {term.term_to:%Y-%m-%d}"),
        Fact(gettext("已有评审"), digits(len(methodology.panels_of_expert(term.expert_number)))),
    ]
