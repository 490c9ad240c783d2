"""The expert pool, and how a version was reviewed, as everybody reads them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.review_words import conclusion_name, field_names, recusal_reason, vote_name
from tanpuhui.interfaces.design.tags.writing import state
from tanpuhui.interfaces.portal.navigation import in_english, page, worded
from tanpuhui.interfaces.portal.review_words import seat_state
from tanpuhui.interfaces.portal.views.methodologies import public_versions
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import MeetingView, PanelView, VersionView

PUBLISHED = frozenset({"reviewed", "filed"})
"""States of a version whose review is public: from the notice on."""
MINUTES = 16
"""How much of a written moment is its day and minute."""


@require_safe
def experts(request: HttpRequest) -> HttpResponse:
    """List the experts in term: number, name, title, fields and term; employers serve recusal and are not published."""
    rows = [
        Row(
            (
                str(term.expert_number),
                term.name,
                term.title,
                field_names(term.fields),
                f"{term.term_from:%Y-%m-%d} {figures.EN_DASH} {term.term_to:%Y-%m-%d}",
            )
        )
        for term in methodology.expert_pool(day=timezone.localdate())
    ]
    context = {
        "columns": (
            Column(gettext("编号"), "num"),
            Column(gettext("姓名")),
            Column(gettext("职称"), "soft"),
            Column(gettext("专业领域")),
            Column(gettext("聘期"), "soft"),
        ),
        "rows": rows,
    }
    crumbs = (Crumb(gettext("方法学"), reverse("portal:methodologies")), Crumb(gettext("专家库")))
    return page(request, "portal/experts.html", context, section="methodologies", crumbs=crumbs)


@require_safe
def review(request: HttpRequest, code: str, version: str) -> HttpResponse:
    """Show how a version was reviewed, from its notice on: draw, recusals, votes, dissent. Scores and remarks are not published."""
    view = next(
        (one for one in public_versions(code) if one.version == version and one.state in PUBLISHED), None
    )
    panel = methodology.panel_of_case(view.case_id) if view is not None and view.case_id else None
    meeting = methodology.signed_meeting(panel.panel_id, version_id=view.id) if view and panel else None
    if view is None or panel is None or meeting is None:
        raise Http404
    name = f"{view.code} {worded(view.name_zh, view.name_en)} {view.version}"
    context: dict[str, Any] = {
        "view": view,
        "name": name,
        "panel": panel,
        "conclusion": conclusion_name(meeting.conclusion)[1],
        "meeting": _meeting(panel, meeting),
        "opinion": meeting.opinion,
        "votes": _votes(meeting),
        "dissents": [one for one in meeting.votes if one.dissent],
        "draw": _draw(panel),
        "candidates": _candidates(panel),
        "seats": _seats(panel),
        "terms": list(dict.fromkeys(panel.terms_basis.values())),
    }
    crumbs = (
        Crumb(gettext("方法学"), reverse("portal:methodologies")),
        Crumb(f"{view.code} {view.version}", reverse("portal:methodology", args=[code, version])),
        Crumb(gettext("专家评审")),
    )
    return page(request, "portal/methodology_review.html", context, section="methodologies", crumbs=crumbs)


def is_published(view: VersionView) -> bool:
    """Say whether the review of a version can be read."""
    panel = methodology.panel_of_case(view.case_id) if view.case_id and view.state in PUBLISHED else None
    return panel is not None and methodology.signed_meeting(panel.panel_id, version_id=view.id) is not None


def _meeting(panel: PanelView, meeting: MeetingView) -> list[Fact]:
    names = methodology.expert_names([*meeting.present, meeting.chair_number])
    listed = (", " if in_english() else "、").join(names[number] for number in meeting.present)
    rule = gettext("到会的 %(yes)s 赞成即推荐，%(no)s 反对即不予推荐，其余退回")
    return [
        Fact(gettext("时间"), figures.moment(meeting.held_at)[:MINUTES]),
        Fact(gettext("到会"), listed),
        Fact(gettext("主持"), names[meeting.chair_number]),
        Fact(gettext("表决规则"), rule % {"yes": panel.recommend_share, "no": panel.reject_share}),
        Fact(gettext("会议纪要的指纹"), meeting.minutes_sha256, mono=True),
        Fact(gettext("结论的签名"), meeting.signature_sha256, mono=True),
    ]


def _votes(meeting: MeetingView) -> dict[str, Any]:
    columns = (Column(gettext("专家")), Column(gettext("表决")))
    return {"columns": columns, "rows": [Row((one.name, vote_name(one.vote))) for one in meeting.votes]}


def _draw(panel: PanelView) -> list[Fact]:
    head = gettext("第 %(n)s 号树头") % {"n": panel.log_head} if panel.log_head else gettext("空日志")
    return [
        Fact(gettext("专业领域"), field_names(panel.fields)),
        Fact(gettext("席位"), str(panel.seats_wanted)),
        Fact(gettext("法定人数"), str(panel.quorum)),
        Fact(gettext("抽取"), figures.moment(panel.drawn_at)[:MINUTES]),
        Fact(gettext("公开日志的树根"), f"{panel.log_root} ({head})", mono=True),
        Fact(gettext("办件号"), panel.case_number, mono=True),
        Fact(gettext("种子"), panel.seed, mono=True),
    ]


def _candidates(panel: PanelView) -> dict[str, Any]:
    columns = (
        Column(gettext("次序"), "num"),
        Column(gettext("编号"), "num"),
        Column(gettext("姓名")),
        Column(gettext("SHA-256(种子|编号)"), "mono"),
        Column(gettext("回避"), "soft"),
    )
    rows = [
        Row(
            (
                str(one.place),
                str(one.expert_number),
                one.name,
                one.order_sha256,
                recusal_reason(one.recusal) if one.recusal else "",
            )
        )
        for one in panel.candidates
    ]
    return {"columns": columns, "rows": rows}


def _seats(panel: PanelView) -> dict[str, Any]:
    columns = (Column(gettext("姓名")), Column(gettext("席位")))
    return {
        "columns": columns,
        "rows": [Row((one.name, state(*seat_state(one.state)))) for one in panel.seats],
    }
