"""What the public reads of a filing under its notice: the version itself, and how it was reviewed."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.foundation.workflow.queries import NoticeView
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.portal.navigation import worded
from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.interfaces.portal.review_words import conclusion_name
from tanpuhui.interfaces.portal.views.methodologies import HIDDEN
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import MeetingView, VersionView


def filing_part(view: NoticeView) -> NoticePart:
    """Return the methodology that was put to notice, with the ways to its text and to the record of its review.

    It is the version of the meeting that was signed before the notice opened; one corrected later has a notice of its own.
    """
    found = methodology.filing(int(view.subject_id))
    meeting = _meeting(view)
    version = methodology.version(found.version_id if meeting is None else meeting.version_id)
    links = _links(version)
    facts = _facts(version)
    if meeting is not None:
        facts.append(Fact(gettext("评审会结论"), conclusion_name(meeting.conclusion)))
        if links:
            where = [version.code, version.version]
            links.append(
                Crumb(gettext("抽取、回避、表决和保留意见"), reverse("portal:methodology-review", args=where))
            )
    return NoticePart(facts=facts, links=links)


def version_part(view: NoticeView) -> NoticePart:
    """Return the version that a filing without committee is about."""
    version = methodology.version(int(view.subject_id))
    return NoticePart(facts=_facts(version), links=_links(version))


def _meeting(view: NoticeView) -> MeetingView | None:
    """Return the last meeting that was signed before the notice opened and still stands."""
    panel = methodology.panel_of_case(view.case_id)
    if panel is None:
        return None
    return next(
        (
            one
            for one in methodology.meetings(panel.panel_id)
            if one.voided_at is None and one.signed_at is not None and one.signed_at <= view.opened_at
        ),
        None,
    )


def _facts(version: VersionView) -> list[Fact]:
    named = f"{version.code} {worded(version.name_zh, version.name_en)} {version.version}"
    return [Fact(gettext("方法学"), named), Fact(gettext("归档指纹"), version.archive_sha256, mono=True)]


def _links(version: VersionView) -> list[Crumb]:
    """Lead to the version's page; one that was returned or rejected since has none."""
    if version.state in HIDDEN:
        return []
    way = reverse("portal:methodology", args=[version.code, version.version])
    return [Crumb(gettext("全文、取值、出处和算例"), way)]
