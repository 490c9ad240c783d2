"""The pages of one review: tabs, the sheet, a file with its remarks, kept trials, the meeting with opinions and votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row, Tab
from tanpuhui.interfaces.design.review_words import conclusion_name, vote_name
from tanpuhui.interfaces.design.science import said
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import at_moment, digits, state_mark
from tanpuhui.interfaces.workbench.review_words import seat_state
from tanpuhui.interfaces.workbench.views.reviews import panel_title
from tanpuhui.interfaces.workbench.words import in_english, worded
from tanpuhui.science.engine import MethodologyVersion, reason_text
from tanpuhui.science.engine.unpack import MAIN_FILE
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import (
    MeetingView,
    PanelView,
    RemarkView,
    ReviewView,
    SeatState,
    SeatView,
    TrialView,
)


def sheet_page(
    request: HttpRequest,
    panel: PanelView,
    seat: SeatView,
    *,
    form: forms.Form | None = None,
    declaration: forms.Form | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the first page of a review: the declaration while it is due, then the sheet, at the end what was handed in."""
    own = methodology.review_versions(panel.panel_id, expert_number=seat.expert_number)
    meeting = methodology.signed_meeting(panel.panel_id, version_id=panel.version_id)
    context = {
        "declaration": declaration if seat.state == SeatState.SEATED else None,
        "form": form if seat.state == SeatState.DECLARED and meeting is None else None,
        "score_max": panel.score_max,
        "columns": (
            Column(gettext("稿"), "num"),
            Column(gettext("版本"), "soft"),
            Column(gettext("状态")),
            Column(gettext("建议")),
            Column(gettext("时间"), "soft"),
            Column(gettext("签名"), "mono"),
        ),
        "history": [_history_row(one) for one in own],
    }
    return _page(request, "review", panel, seat, context, refused=refused, status=status)


def text_page(
    request: HttpRequest,
    panel: PanelView,
    seat: SeatView,
    *,
    path: str,
    form: forms.Form,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return one file with numbered lines, the remarks that the expert may see under their lines, and a form."""
    content = methodology.files(panel.version_id)[path].decode("utf-8", errors="replace")
    seen = methodology.remarks(panel.panel_id, seen_by=seat.expert_number)
    here = [one for one in seen if (one.version_id, one.path) == (panel.version_id, path)]
    by_line: dict[int, list[RemarkView]] = {}
    for one in here:
        by_line.setdefault(one.line, []).append(one)
    base = reverse("workbench:review-text", args=[panel.panel_id])
    context = {
        "files": [
            Tab(one, f"{base}?{urlencode({'file': one})}", active=one == path)
            for one in sorted(methodology.files(panel.version_id), key=lambda one: (one != MAIN_FILE, one))
        ],
        "path": path,
        "lines": [
            (number, line, by_line.get(number, [])) for number, line in enumerate(content.splitlines(), start=1)
        ],
        "form": form if seat.state == SeatState.DECLARED else None,
        "mine": seat.expert_number,
    }  # fmt: skip
    return _page(request, "review-text", panel, seat, context, refused=refused, status=status)


def trial_page(
    request: HttpRequest,
    panel: PanelView,
    seat: SeatView,
    *,
    rows: str = "",
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the trial form and every calculation that the expert kept."""
    version = methodology.loaded(panel.version_id)
    kept = methodology.trials(panel.panel_id, expert_number=seat.expert_number)
    context = {
        "may": seat.state == SeatState.DECLARED,
        "rows": rows,
        "fields": [(item.code, said(item.name), said(item.display_unit)) for item in version.fields],
        "trials": [_trial(version, one) for one in kept],
    }
    return _page(request, "review-trial", panel, seat, context, refused=refused, status=status)


def meeting_page(
    request: HttpRequest,
    panel: PanelView,
    seat: SeatView,
    *,
    vote: forms.Form,
    sign: forms.Form,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the opinions that the expert may see, and the meeting; who is present votes, the chair signs."""
    found = next(
        (one for one in methodology.meetings(panel.panel_id) if one.voided_at is None and one.version_id == panel.version_id), None
    )  # fmt: skip
    seen = methodology.reviews(panel.panel_id, version_id=panel.version_id, seen_by=seat.expert_number)
    context: dict[str, Any] = {
        "opinions": opinion_table(panel, [one for one in seen if one.submitted]),
        "texts": [one for one in seen if one.submitted],
        "hidden": not any(one.submitted and one.expert_number == seat.expert_number for one in seen),
    }
    if found is not None:
        cast = {one.expert_number for one in found.votes}
        present = seat.expert_number in found.present and seat.state == SeatState.DECLARED
        context |= {
            "meeting": found,
            "meeting_facts": meeting_facts(found),
            "votes": vote_table(found),
            "vote": vote if present and seat.expert_number not in cast and found.signed_at is None else None,
            "sign": sign
            if found.chair_number == seat.expert_number
            and found.signed_at is None
            and len(cast) == len(found.present)
            and found.minutes_sha256
            else None,
        }
    return _page(request, "review-meeting", panel, seat, context, refused=refused, status=status)


def file_of(request: HttpRequest, panel: PanelView) -> str:
    """Return the file that is meant; the main file where none or an unknown one is named."""
    asked = request.POST.get("file") or request.GET.get("file") or MAIN_FILE
    return asked if asked in methodology.files(panel.version_id) else MAIN_FILE


def opinion_table(panel: PanelView, seen: Sequence[ReviewView]) -> dict[str, Any]:
    """Return submitted opinions as a table: a column for each criterion, a total where all weights are set."""
    weights = {one.code: one.weight for one in panel.criteria}
    total = all(weight is not None for weight in weights.values())
    columns = [
        Column(gettext("专家")),
        *(Column(worded(one.label_zh, one.label_en), "num") for one in panel.criteria),
    ]
    if total:
        columns.append(Column(gettext("加权总分"), "num"))
    columns += [Column(gettext("建议")), Column(gettext("签名"), "mono")]
    rows = []
    for one in seen:
        cells: list[Any] = [one.name, *(digits(one.scores.get(code)) for code in weights)]
        if total:
            reached = sum((weights[code] or 0) * score for code, score in one.scores.items())
            most = panel.score_max * sum(weight or 0 for weight in weights.values())
            cells.append(f"{reached} / {most}")
        cells += [state_mark(conclusion_name(one.recommendation)), figures.short_digest(one.sha256)]
        rows.append(Row(tuple(cells)))
    note = "" if total else gettext("规则没有设定全部指标的权重，各项评分并列，不算总分。")
    return {"columns": tuple(columns), "rows": rows, "note": note}


def meeting_facts(found: MeetingView) -> list[Fact]:
    """Return when, where and with whom a meeting was held, and how it ended."""
    names = methodology.expert_names([*found.present, found.chair_number])
    facts = [
        Fact(gettext("时间"), at_moment(found.held_at)),
        Fact(gettext("地点"), found.place),
        Fact(gettext("议程"), found.agenda),
        Fact(gettext("到会"), (", " if in_english() else "、").join(names[one] for one in found.present)),
        Fact(gettext("主持"), names[found.chair_number]),
        Fact(gettext("会议纪要"), found.minutes_sha256 or gettext("还没有"), mono=bool(found.minutes_sha256)),
    ]
    if found.conclusion:
        facts += [
            Fact(gettext("结论"), state_mark(conclusion_name(found.conclusion))),
            Fact(gettext("评审会意见"), found.opinion),
            Fact(gettext("签署"), at_moment(found.signed_at)),
            Fact(gettext("签名"), found.signature_sha256, mono=True),
        ]
    if found.voided_at is not None:
        facts.append(Fact(gettext("作废"), found.void_reason))
    return facts


def vote_table(found: MeetingView) -> dict[str, Any]:
    """Return the votes of a meeting with their dissents."""
    columns = (Column(gettext("专家")), Column(gettext("表决")), Column(gettext("保留意见"), "soft"))
    rows = [Row((one.name, vote_name(one.vote), one.dissent)) for one in found.votes]
    return {"columns": columns, "rows": rows}


def _history_row(one: ReviewView) -> Row:
    version = methodology.version(one.version_id)
    return Row(
        (
            digits(one.revision),
            version.version,
            state_mark(("ok", gettext("已提交")) if one.submitted else ("", gettext("只保存"))),
            state_mark(conclusion_name(one.recommendation)) if one.recommendation else "",
            at_moment(one.saved_at),
            figures.short_digest(one.sha256) if one.sha256 else "",
        )
    )


def _trial(version: MethodologyVersion, one: TrialView) -> dict[str, Any]:
    return {
        "view": one,
        "rows": [
            {
                **row,
                "fault": worded(str(row.get("fault_zh", "")), str(row.get("fault_en", ""))),
                "why": reason_text(version, str(row["reason"]), locale="en" if in_english() else "zh")
                if row.get("reason")
                else "",
                "name": said(version.variant(str(row["variant"])).name) if row.get("variant") else "",
            }
            for row in one.result
        ],
    }


def _page(
    request: HttpRequest,
    active: str,
    panel: PanelView,
    seat: SeatView,
    context: dict[str, Any],
    *,
    refused: Refusal | None,
    status: int,
) -> HttpResponse:
    title = panel_title(panel)
    pages = (
        ("review", gettext("评审表")),
        ("review-text", gettext("正文和逐行意见")),
        ("review-trial", gettext("试算")),
        ("review-meeting", gettext("评审会")),
    )
    whole = {
        "title": title,
        "panel": panel,
        "seat": seat,
        "seat_state": seat_state(seat.state),
        "version": methodology.version(panel.version_id),
        "tabs": [
            Tab(label, reverse(f"workbench:{name}", args=[panel.panel_id]), active=name == active)
            for name, label in pages
        ],
        "refused": refused,
        **context,
    }
    crumbs = (Crumb(gettext("我的评审"), reverse("workbench:reviews")), Crumb(title))
    template = f"workbench/{active.replace('-', '_')}.html"
    return page(request, template, whole, section="reviews", crumbs=crumbs, status=status)
