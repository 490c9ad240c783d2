"""The page of a panel: how it was drawn, who sits, what was handed in, how it ended."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow.queries import CaseView
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.review_words import field_names, recusal_reason
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import (
    at_moment,
    digits,
    link,
    on_day,
    row_act,
    state_mark,
)
from tanpuhui.interfaces.workbench.review_words import seat_state
from tanpuhui.interfaces.workbench.views.panel_forms import (
    TERM_WORDS,
    ExclusionForm,
    MeetingForm,
    MinutesForm,
)
from tanpuhui.interfaces.workbench.views.review_parts import meeting_facts, opinion_table, vote_table
from tanpuhui.interfaces.workbench.views.reviews import panel_title
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import MeetingView, PanelView, RemarkView, SeatState

COMMITTEE = "committee"
"""The state of a filing case in which its panel works."""


def panel_page(
    request: HttpRequest,
    case: CaseView,
    *,
    draw: forms.Form | None = None,
    exclusion: forms.Form | None = None,
    meeting: forms.Form | None = None,
    minutes: forms.Form | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the page of a case's panel; forms that were refused come back as they were filled in."""
    actor, found = who(request), methodology.panel_of_case(case.case_id)
    makes = actor.has(Role.MAKER, area=case.area)
    works = case.state == COMMITTEE
    context: dict[str, Any] = {"case": case, "refused": refused, "title": case.title, "panel": found}
    if found is None:
        context |= {"draw": draw if makes and works else None, "waits": works}
    else:
        context |= {
            "title": panel_title(found),
            "facts": _facts(found),
            "terms": [(TERM_WORDS[name], basis) for name, basis in found.terms_basis.items()],
            "candidates": _candidates(found),
            "seats": _seats(found),
            "opinions": opinion_table(
                found, methodology.reviews(found.panel_id, version_id=found.version_id)
            ),
            "remarks": remark_groups(methodology.remarks(found.panel_id)),
            "exclusions": _exclusions(request, found, case),
            "meetings": [_meeting(one, case) for one in methodology.meetings(found.panel_id)],
            "exclusion": exclusion or _exclusion_form(found) if _may_exclude(actor, case) else None,
            **_meeting_forms(found, makes=makes and works, meeting=meeting, minutes=minutes),
        }
    crumbs = (
        Crumb(gettext("专家评审"), reverse("workbench:panels")),
        Crumb(case.number, reverse("workbench:case", args=[case.case_id])),
        Crumb(gettext("专家组")),
    )
    return page(request, "workbench/panel.html", context, section="panels", crumbs=crumbs, status=status)


def remark_groups(found: tuple[RemarkView, ...]) -> list[dict[str, Any]]:
    """Return remarks by version and file, each with its line and answers."""
    groups: dict[tuple[int, str], list[RemarkView]] = {}
    for one in found:
        groups.setdefault((one.version_id, one.path), []).append(one)
    return [
        {"version": methodology.version(version_id), "path": path, "remarks": remarks}
        for (version_id, path), remarks in groups.items()
    ]


def _facts(found: PanelView) -> list[Fact]:
    root = f"{found.log_root}"
    return [
        Fact(gettext("专业领域"), field_names(found.fields)),
        Fact(
            gettext("席位和法定人数"),
            gettext("%(seats)s 席，到会 %(quorum)s 名以上")
            % {"seats": found.seats_wanted, "quorum": found.quorum},
        ),
        Fact(
            gettext("表决规则"),
            gettext("到会的 %(yes)s 赞成即推荐，%(no)s 反对即不予推荐，其余退回")
            % {"yes": found.recommend_share, "no": found.reject_share},
        ),
        Fact(gettext("抽取"), at_moment(found.drawn_at)),
        Fact(
            gettext("公开日志的树根"),
            root,
            url=reverse("portal:log"),
            mono=True,
        ),
        Fact(gettext("种子"), found.seed, mono=True),
    ]


def _candidates(found: PanelView) -> dict[str, Any]:
    columns = (
        Column(gettext("次序"), "num"),
        Column(gettext("专家编号"), "num"),
        Column(gettext("专家")),
        Column(gettext("SHA-256(种子|编号)"), "mono"),
        Column(gettext("回避"), "soft"),
    )
    rows = [
        Row(
            (
                digits(one.place),
                digits(one.expert_number),
                one.name,
                figures.short_digest(one.order_sha256),
                recusal_reason(one.recusal, one.recusal_detail) if one.recusal else "",
            )
        )
        for one in found.candidates
    ]
    return {"columns": columns, "rows": rows}


def _seats(found: PanelView) -> dict[str, Any]:
    submitted = methodology.submitted_by(found.panel_id, version_id=found.version_id)
    columns = (
        Column(gettext("专家")),
        Column(gettext("席位")),
        Column(gettext("声明"), "soft"),
        Column(gettext("本稿意见")),
        Column(gettext("抽到"), "soft"),
    )
    rows = []
    for one in found.seats:
        handed_in = one.expert_number in submitted
        opinion = state_mark(("ok", gettext("已提交")) if handed_in else ("wait", gettext("还没有")))
        left = one.left_reason and one.state != SeatState.RECUSED
        reason = recusal_reason(*one.left_reason.split(" ", 1)) if one.state == SeatState.PASSED_OVER else ""
        rows.append(
            Row(
                (
                    one.name,
                    state_mark(seat_state(one.state)),
                    one.declaration,
                    opinion if one.state in {SeatState.SEATED, SeatState.DECLARED} else "",
                    on_day(one.seated_at),
                ),
                remark=(reason or one.left_reason) if left else "",
            )
        )
    return {"columns": columns, "rows": rows}


def _exclusions(request: HttpRequest, found: PanelView, case: CaseView) -> dict[str, Any]:
    may = who(request).has(Role.CHECKER, Role.REGULATOR, area=case.area) and case.closed_at is None
    columns = (
        Column(gettext("专家")),
        Column(gettext("利害关系和依据"), "soft"),
        Column(gettext("提出"), "soft"),
        Column(gettext("确认"), "soft"),
        Column(""),
    )
    rows = [
        Row(
            (
                one.name,
                one.reason,
                on_day(one.proposed_at),
                on_day(one.confirmed_at),
                row_act(
                    request,
                    reverse("workbench:panel-confirm", args=[case.case_id, one.exclusion_id]),
                    gettext("确认移出"),
                )
                if may and one.confirmed_at is None
                else "",
            )
        )
        for one in methodology.exclusions(found.panel_id)
    ]
    return {"columns": columns, "rows": rows}


def _meeting(one: MeetingView, case: CaseView) -> dict[str, Any]:
    facts = meeting_facts(one)
    if one.minutes_sha256:
        address = reverse("workbench:panel-minutes-file", args=[case.case_id, one.meeting_id])
        facts.append(Fact(gettext("下载"), link(address, gettext("会议纪要"))))
    return {"view": one, "facts": facts, "votes": vote_table(one)}


def _may_exclude(actor: Actor, case: CaseView) -> bool:
    return case.closed_at is None and actor.has(Role.MAKER, Role.REGULATOR, area=case.area)


def _exclusion_form(found: PanelView) -> forms.Form | None:
    return ExclusionForm(panel=found) if found.sitting else None


def _meeting_forms(
    found: PanelView, *, makes: bool, meeting: forms.Form | None, minutes: forms.Form | None
) -> dict[str, Any]:
    """Return the form that the centre can use now: record the meeting, or put its minutes."""
    standing = next(
        (one for one in methodology.meetings(found.panel_id) if one.voided_at is None and one.version_id == found.version_id), None
    )  # fmt: skip
    if not makes or (standing is not None and standing.signed_at is not None):
        return {}
    if standing is not None:
        return {"minutes": minutes or MinutesForm(), "open_meeting": standing}
    submitted = methodology.submitted_by(found.panel_id, version_id=found.version_id)
    waiting = [one for one in found.sitting if one.expert_number not in submitted]
    if waiting or len(found.declared) < found.quorum:
        return {"meeting_waits": len(waiting)}
    first = {"held_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M")}
    return {"meeting": meeting or MeetingForm(panel=found, initial=first)}
