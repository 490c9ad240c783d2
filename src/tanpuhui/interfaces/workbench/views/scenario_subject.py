"""What a case is about where it is a scenario (办件的对象：场景): its application, or a change of how it stands."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.foundation.workflow.queries import CaseView
from tanpuhui.interfaces.design.parts import Fact
from tanpuhui.interfaces.design.scenario_words import standing_text
from tanpuhui.interfaces.workbench.application_sheet import application_context
from tanpuhui.interfaces.workbench.parts import state_mark
from tanpuhui.interfaces.workbench.words import worded


def application_part(view: CaseView) -> dict[str, Any]:
    """Return the application as the assessors read it: the sample that proves it first, then what it says."""
    found = activity.application(int(view.subject_id))
    return application_context(found, downloads=True) | {"may_try": view.closed_at is None, "editable": False}


def standing_part(change_id: int) -> dict[str, Any]:
    """Return what is to change, from which day, and how the scenario stands now."""
    change = activity.standing_change(change_id)
    now = activity.scenario(change.scenario, on=timezone.localdate())
    return {
        "facts": [
            Fact(gettext("场景"), worded(change.scenario_zh, change.scenario_en)),
            Fact(gettext("现在"), state_mark(standing_text(now.standing))),
            Fact(gettext("变更为"), state_mark(standing_text(change.standing))),
            Fact(gettext("从哪一天起"), f"{change.from_day:%Y-%m-%d}"),
            Fact(gettext("理由"), change.reason),
        ]
    }
