"""What the public reads of a methodology under notice (方法学公示内容): the version, who judged it, and how to check the draw."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.foundation.workflow.queries import NoticeView
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.review_words import conclusion_name, recusal_reason
from tanpuhui.interfaces.portal.navigation import worded
from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.interfaces.portal.views.methodologies import HIDDEN
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import MeetingView, PanelView, VersionView


def filing_part(view: NoticeView) -> NoticePart:
    """Return the version that was put to notice, its panel with every recusal, and the meeting that judged it.

    It is the version of the meeting that was signed before the notice opened: a later correction is another notice.
    """
    found = methodology.filing(int(view.subject_id))
    panel = methodology.panel_of_case(found.case_id) if found.case_id is not None else None
    meeting = _meeting(panel, view) if panel is not None else None
    version = methodology.version(meeting.version_id if meeting is not None else found.version_id)
    return NoticePart(
        facts=_facts(version, panel, meeting),
        links=_links(version, reviewed=meeting is not None),
        template="portal/parts/methodology_notice.html" if panel is not None else "",
        context=_context(panel, meeting, view) if panel is not None else {},
    )


def version_part(view: NoticeView) -> NoticePart:
    """Return the version that a filing without committee is about."""
    version = methodology.version(int(view.subject_id))
    return NoticePart(facts=_facts(version, None, None), links=_links(version, reviewed=False))


def _meeting(panel: PanelView, view: NoticeView) -> MeetingView | None:
    """Return the last meeting that was signed before the notice opened and still stands."""
    return next(
        (
            one
            for one in methodology.meetings(panel.panel_id)
            if one.signed_at is not None and one.voided_at is None and one.signed_at <= view.opened_at
        ),
        None,
    )


def _facts(version: VersionView, panel: PanelView | None, meeting: MeetingView | None) -> list[Fact]:
    facts = [
        Fact(
            gettext("方法学"),
            f"{version.code} {version.version} {worded(version.name_zh, version.name_en)}",
        ),
        Fact(gettext("归档 SHA-256"), version.archive_sha256, mono=True),
    ]
    if panel is not None:
        facts.append(
            Fact(
                gettext("专家组"),
                gettext("%(drawn)s 抽签，%(seats)s 席，到会法定人数 %(quorum)s")
                % {
                    "drawn": f"{figures.local_day(panel.drawn_at):%Y-%m-%d}",
                    "seats": panel.seats_wanted,
                    "quorum": panel.quorum,
                },
            )
        )
    if meeting is not None:
        votes = Counter(one.vote for one in meeting.votes)
        facts.append(Fact(gettext("评审结论"), conclusion_name(meeting.conclusion)[1]))
        facts.append(
            Fact(
                gettext("表决"),
                gettext("赞成 %(n)s，反对 %(against)s，弃权 %(abstain)s")
                % {"n": votes["for"], "against": votes["against"], "abstain": votes["abstain"]},
            )
        )
    return facts


def _links(version: VersionView, *, reviewed: bool) -> list[Crumb]:
    """Return the ways to the version's page and to the record of its review, where they are public."""
    if version.state in HIDDEN:
        return []
    where = [version.code, version.version]
    links = [Crumb(gettext("公式、参数和出处"), reverse("portal:methodology", args=where))]
    if reviewed:
        links.append(
            Crumb(gettext("抽取、回避、表决和保留意见"), reverse("portal:methodology-review", args=where))
        )
    return links


def _context(panel: PanelView, meeting: MeetingView | None, view: NoticeView) -> dict[str, Any]:
    seats = {seat.expert_number: seat.state for seat in panel.seats}
    return {
        "panel": panel,
        "number": view.number,
        "columns": (
            Column(gettext("顺序"), "num"),
            Column(gettext("专家编号"), "num"),
            Column(gettext("专家")),
            Column(gettext("结果")),
            Column(gettext("抽签值"), "mono"),
        ),
        "rows": [
            Row(
                (
                    str(one.place),
                    str(one.expert_number),
                    one.name,
                    _outcome(one.recusal, seats.get(one.expert_number, "")),
                    figures.short_digest(one.order_sha256),
                )
            )
            for one in panel.candidates
        ],
        "dissents": [one.dissent for one in meeting.votes if one.dissent] if meeting is not None else [],
        "opinion": meeting.opinion if meeting is not None else "",
        "log_url": reverse("portal:log"),
    }


def _outcome(recusal: str, seat: str) -> str:
    """Say what became of a candidate: seated, recused and why, or not reached by the draw."""
    if recusal:
        return gettext("回避：%(why)s") % {"why": recusal_reason(recusal)}
    return {
        "declared": gettext("参加评审"),
        "seated": gettext("入席，尚未声明"),
        "recused": gettext("声明利害关系后回避"),
        "passed_over": gettext("递补时发现须回避"),
        "excluded": gettext("经两人核定移出"),
    }.get(seat, gettext("没有抽到"))
