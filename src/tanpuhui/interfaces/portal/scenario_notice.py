"""What the public reads of a scenario under notice (场景公示内容): what it is, who sends which data, and what for."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import ScenarioContent
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow.queries import NoticeView
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.scenario_words import class_name, reach_text, tier_text
from tanpuhui.interfaces.portal.navigation import worded
from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.science.methodology.queries import VersionView


def application_part(view: NoticeView) -> NoticePart:
    """Return the application as it was assessed: the words of the applicant, the columns, and how the sample did."""
    found = activity.application(int(view.subject_id))
    said = found.content
    version = activity.methodology_of(said, day=timezone.localdate())
    return NoticePart(
        facts=_facts(said, version),
        links=_links(version),
        template="portal/parts/scenario_notice.html",
        context=_context(found.id, said),
    )


def _facts(said: ScenarioContent, version: VersionView | None) -> list[Fact]:
    sender = organisation(said.partner_id)
    classes = activity.scenario_classes(at=timezone.now())
    return [
        Fact(gettext("场景"), f"{worded(said.name_zh, said.name_en)} {said.code}"),
        Fact(gettext("类别"), class_name(said.scenario_class, classes)),
        Fact(gettext("适用范围"), reach_text(said.reach)),
        Fact(gettext("报送数据"), worded(sender.name, sender.name_en)),
        Fact(gettext("证据等级"), tier_text(said.evidence_tier)),
        Fact(
            gettext("方法学"),
            f"{version.code} {version.version} {worded(version.name_zh, version.name_en)}"
            if version
            else said.methodology_code,
        ),
    ]


def _links(version: VersionView | None) -> list[Crumb]:
    if version is None or version.filed_at is None:
        return []
    return [Crumb(gettext("方法学全文"), reverse("portal:methodology", args=[version.code, version.version]))]


def _context(application_id: int, said: ScenarioContent) -> dict[str, Any]:
    try:
        sample = activity.sample_in_force(application_id)
    except Refusal:
        sample = None
    return {
        "behaviour": said.behaviour,
        "sample": sample.report if sample else None,
        "accepted": bool(sample and sample.acceptance),
        "columns": (Column(gettext("列名"), "mono"), Column(gettext("含义")), Column(gettext("用途"))),
        "rows": [Row((one.code, one.meaning, one.purpose)) for one in said.fields],
    }
