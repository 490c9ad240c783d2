"""A case about another case (申诉、更正、撤销): which decision it is about, and what was proposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import CaseView, TimelineLine
from tanpuhui.interfaces.design.parts import Fact
from tanpuhui.interfaces.workbench.parts import at_moment
from tanpuhui.interfaces.workbench.words import worded


def decision_part(view: CaseView, lines: Sequence[TimelineLine]) -> dict[str, Any]:
    """Return what the page of an amendment says: the decision as it stands, and the wording proposed for it."""
    original = workflow.case(workflow.case_of_decision(int(view.subject_id)))
    about = next(
        line for line in workflow.timeline(original.case_id) if line.decision_id == int(view.subject_id)
    )
    wording = next((line.values["wording"] for line in reversed(lines) if "wording" in line.values), "")
    return {"about": _about(original, about) | {"wording": wording}}


def case_part(view: CaseView, lines: Sequence[TimelineLine]) -> dict[str, Any]:
    """Return what the page of an appeal says: the decision that it is against."""
    original = workflow.case(int(view.subject_id))
    step = next((int(line.values["decision_step"]) for line in lines if "decision_step" in line.values), 0)
    about = next((line for line in workflow.timeline(original.case_id) if line.step == step), None)
    return {"about": _about(original, about)}


def _about(original: CaseView, line: TimelineLine | None) -> dict[str, Any]:
    facts = [
        Fact(
            gettext("原案件"),
            f"{original.number} {original.title}",
            url=reverse("workbench:case", args=[original.case_id]),
        ),
        Fact(gettext("原案件现在"), worded(original.state_zh, original.state_en)),
    ]
    if line is None:
        return {"facts": facts, "opinion": ""}
    label = worded(line.label_zh, line.label_en)
    facts += [
        Fact(gettext("决定"), gettext("第 %(n)s 步，%(label)s") % {"n": line.step, "label": label}),
        Fact(gettext("作出人"), line.who),
        Fact(gettext("时间"), at_moment(line.at)),
    ]
    return {"facts": facts, "opinion": line.opinion}
