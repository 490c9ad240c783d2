"""Intake as the partner sees it (数据批次): files, their reports row by row, sending one, and the format."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import BatchReceived, receive_batch
from tanpuhui.behaviour.activity.queries import BatchReport, BatchView
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.design.scenario_words import format_text
from tanpuhui.interfaces.design.sheets import XLSX
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.batch_sheet import batch_sheet
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, digits, state_mark
from tanpuhui.interfaces.workbench.sight import batch_in_sight, partners_in_sight, scenarios_in_sight
from tanpuhui.interfaces.workbench.views.corrections import correction_facts, may_ask
from tanpuhui.interfaces.workbench.views.disclosures import batch_report_taken
from tanpuhui.interfaces.workbench.words import batch_state, locale, verdict_name, worded
from tanpuhui.science.engine import MethodologyVersion
from tanpuhui.science.methodology import queries as methodology

ROWS_SHOWN = 100
BATCHES_SHOWN = 200
VERDICTS = ("counted", "clipped", "waiting", "paired", "duplicate", "excluded", "rejected", "pending")
ENVELOPE = (
    ("record_id", True, gettext_lazy("您的记录编号，同一天内不重复"), "T20261120-000001"),
    ("subject", True, gettext_lazy("您的用户编号，与个人绑定；不要发送姓名和手机号"), "U-48213"),
    ("scenario", True, gettext_lazy("场景代码，见下表"), ""),
    ("started_at", True, gettext_lazy("开始时间，带时区"), "2026-11-20T08:00:00+08:00"),
    ("ended_at", False, gettext_lazy("结束时间，带时区"), "2026-11-20T08:24:00+08:00"),
    ("area", False, gettext_lazy("六位行政区划代码"), ""),
    ("line", False, gettext_lazy("线路（轨迹，按期限删除）"), ""),
    ("from_place", False, gettext_lazy("起点（轨迹，按期限删除）"), ""),
    ("to_place", False, gettext_lazy("终点（轨迹，按期限删除）"), ""),
    ("device", False, gettext_lazy("设备（轨迹，按期限删除）"), ""),
)
"""Columns that every record has or may have, whether they are required, what they hold, an example."""


class SendForm(forms.Form):
    """For which partner and in which format a file is sent."""

    feed = forms.ChoiceField(label=gettext_lazy("机构和格式"))
    file = forms.FileField(widget=forms.FileInput)
    corrects = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, feeds: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "feed", list(feeds.items()))


@require_safe
def batches(request: HttpRequest) -> HttpResponse:
    """List the batches of the actor's organisations, or all for who runs the scheme."""
    actor = who(request)
    found = _batches(actor)
    names = _partners()
    section = Section(
        columns=(
            Column(gettext("文件")),
            Column(gettext("数据伙伴"), "soft"),
            Column(gettext("收到"), "soft"),
            Column(gettext("状态")),
            Column(gettext("行数"), "num"),
            Column(gettext("计入"), "num"),
            Column(gettext("减排量 g"), "num"),
        ),
        rows=[
            Row(
                (
                    view.file_name,
                    names.get(view.partner_id, ""),
                    at_moment(view.received_at),
                    state_mark(batch_state(view.state)),
                    digits(view.rows) if view.settled_at else "",
                    digits(view.verdicts.get("counted", 0) + view.verdicts.get("clipped", 0))
                    if view.settled_at
                    else "",
                    digits(view.grams) if view.settled_at else "",
                ),
                url=reverse("workbench:batch", args=[view.id]),
            )
            for view in found
        ],
        empty=gettext("还没有收到文件。"),
        empty_next=gettext("上传或经接口送来的文件会出现在这里，几秒后有逐行结论。"),
    )
    ways = []
    if Role.PARTNER in actor.roles:
        ways = [
            Way(label=gettext("数据格式"), url=reverse("workbench:format")),
            Way(label=gettext("上传文件"), url=reverse("workbench:send-batch"), kind="main"),
        ]
    context = {
        "title": gettext("数据批次"),
        "lead": gettext("一个文件是一个批次。每一行都有一个结论，各结论的行数之和等于文件的行数。"),
        "ways": ways,
        "sections": [section],
    }
    crumbs = (Crumb(gettext("数据批次")),)
    return page(request, "workbench/sheet.html", context, section="batches", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Take a file; the same bytes again lead to the batch they are already."""
    actor = who(request)
    feeds = _feeds(actor)
    if request.method != "POST":
        asked = request.GET.get("corrects", "")
        corrected = batch_in_sight(actor, int(asked)) if asked.isdecimal() and len(asked) < 12 else None
        initial = (
            {"corrects": corrected.id, "feed": f"{corrected.partner_id}:{corrected.adapter}"}
            if corrected
            else {}
        )
        return _send_page(request, SendForm(feeds=feeds, initial=initial), feeds)
    form = SendForm(request.POST, request.FILES, feeds=feeds)

    def perform(given: Any) -> BatchReceived:
        partner_id, _, adapter = given["feed"].partition(":")
        upload = given["file"]
        return receive_batch(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            partner_id=int(partner_id),
            adapter=adapter,
            file_name=upload.name,
            media_type=upload.content_type or "application/octet-stream",
            content=upload.file,
            corrects=given["corrects"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        return see_other("workbench:batch", attempt.done.batch_id)
    return _send_page(request, form, feeds, refused=attempt.refused, status=attempt.status)


@require_safe
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Show the report of a batch; while it is being posted the page asks again by itself."""
    view = batch_in_sight(who(request), batch_id)
    crumbs = (Crumb(gettext("数据批次"), reverse("workbench:batches")), Crumb(view.file_name))
    return page(request, "workbench/batch.html", _report(request, view), section="batches", crumbs=crumbs)


@require_safe
def report(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Return the report alone, as the page asks for it while the batch is being posted."""
    view = batch_in_sight(who(request), batch_id)
    return render(request, "workbench/parts/batch_report.html", _report(request, view))


@require_safe
def rows(request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
    """Send the rows that were not counted in full, as CSV in which no spreadsheet finds a formula."""
    view = batch_in_sight(who(request), batch_id)
    batch_report_taken(who(request), view.id)
    lines = activity.batch_report_csv(view.id, locale=locale())
    response = StreamingHttpResponse(_with_mark(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="batch-{view.id}-rows.csv"'
    return response


@require_safe
def rows_json(request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
    """Send the whole report as JSON: the counts, and every row that was not counted in full."""
    view = batch_in_sight(who(request), batch_id)
    batch_report_taken(who(request), view.id)
    lines = activity.batch_report_json(view.id, locale=locale())
    response = StreamingHttpResponse(lines, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="batch-{view.id}-report.json"'
    return response


@require_safe
def rows_xlsx(request: HttpRequest, batch_id: int) -> FileResponse:
    """Send the rows that were not counted in full as an Excel file without formulas."""
    view = batch_in_sight(who(request), batch_id)
    batch_report_taken(who(request), view.id)
    return FileResponse(
        batch_sheet(view.id, locale=locale()),
        as_attachment=True,
        filename=f"batch-{view.id}-rows.xlsx",
        content_type=XLSX,
    )


@require_safe
def to_correct(request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
    """Send the partner the rows that are still to be corrected, as they sent them; nobody else gets rows of the file."""
    actor = who(request)
    view = batch_in_sight(actor, batch_id)
    actor.require(Role.PARTNER, operation="activity.rows_to_correct", organisation_id=view.partner_id)
    lines = activity.rows_to_correct_csv(view.id, locale=locale())
    encoding = activity.encoding_to_correct(view.id)
    written = (line.encode(encoding) for line in (_with_mark(lines) if encoding == "utf-8" else lines))
    response = StreamingHttpResponse(written, content_type=f"text/csv; charset={encoding}")
    response["Content-Disposition"] = f'attachment; filename="batch-{view.id}-to-correct.csv"'
    return response


@require_safe
def data_format(request: HttpRequest) -> HttpResponse:
    """Describe the standard format: the columns of every record, and those of each scenario's filed methodology."""
    envelope = Section(
        title=gettext("每条记录都有的列"),
        columns=(
            Column(gettext("列名"), "mono"),
            Column(gettext("必填")),
            Column(gettext("说明")),
            Column(gettext("例"), "mono"),
        ),
        rows=[
            Row((name, gettext("必填") if required else "", str(about), example))
            for name, required, about, example in ENVELOPE
        ],
    )
    context = {
        "title": gettext("数据格式"),
        "lead": gettext(
            "CSV（首行是列名）或 NDJSON（一行一个对象），UTF-8 编码，可以用 gzip、zstd 或 zip 压缩；也可以是 Parquet，或一张 Excel 工作表（.xlsx）。列按名称识别，次序不限，不认识的列原样留存。"
        ),
        "sections": [
            envelope,
            *(
                _scenario_columns(one.code, worded(one.name_zh, one.name_en))
                for one in scenarios_in_sight(who(request))
            ),
        ],
        "code": gettext("最小的例子"),
        "sample": "record_id,subject,scenario,started_at,area,distance_km\n"
        "T20261120-000001,U-48213,bus,2026-11-20T08:00:00+08:00,,8.4\n",
    }
    crumbs = (Crumb(gettext("数据批次"), reverse("workbench:batches")), Crumb(gettext("数据格式")))
    return page(request, "workbench/sheet.html", context, section="format", crumbs=crumbs)


def _batches(actor: Actor) -> list[BatchView]:
    found = [view for partner in partners_in_sight(actor) for view in activity.batches(partner_id=partner.id)]
    return sorted(found, key=lambda view: view.id, reverse=True)[:BATCHES_SHOWN]


def _partners() -> dict[int, str]:
    return {view.id: worded(view.name, view.name_en) for view in organisations(kind="partner")}


def _feeds(actor: Actor) -> dict[str, str]:
    """Return what the actor may send, as partner and format, with its words."""
    names = {view.code: worded(view.name_zh, view.name_en) for view in activity.scenarios()}
    partners = _partners()
    grouped: dict[str, list[str]] = {}
    for partner_id in actor.organisation_ids(Role.PARTNER):
        for feed in activity.feeds(partner_id=partner_id):
            grouped.setdefault(f"{partner_id}:{feed.adapter}", []).append(
                names.get(feed.scenario, feed.scenario)
            )
    return {
        key: gettext("%(partner)s：%(format)s（%(scenarios)s）")
        % {
            "partner": partners.get(int(key.partition(":")[0]), ""),
            "format": format_text(key.partition(":")[2]),
            "scenarios": ", ".join(scenarios),
        }
        for key, scenarios in grouped.items()
    }


def _send_page(
    request: HttpRequest,
    form: SendForm,
    feeds: dict[str, str],
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    crumbs = (Crumb(gettext("数据批次"), reverse("workbench:batches")), Crumb(gettext("上传文件")))
    context = {"form": form, "feeds": feeds, "refused": refused}
    return page(request, "workbench/send.html", context, section="batches", crumbs=crumbs, status=status)


def _report(request: HttpRequest, view: BatchView) -> dict[str, Any]:
    after = request.GET.get("after", "")
    found = activity.batch_report(
        view.id, after_row=int(after) if after.isdecimal() and len(after) < 12 else 0, limit=ROWS_SHOWN
    )
    words = reason_words(found)
    mended = activity.mended_by(view.id, [one.row_number for one in found.outcomes])
    open_rows = activity.rows_open(view.id)
    return {
        "corrects_url": reverse("workbench:batch", args=[view.corrects]) if view.corrects else "",
        "send_url": f"{reverse('workbench:send-batch')}?corrects={view.id}",
        "sends_corrections": bool(open_rows)
        and who(request).has(Role.PARTNER, organisation_id=view.partner_id),
        "batch": view,
        "correction": correction_facts(found, open_rows),
        "may_ask": may_ask(who(request), found),
        "state": batch_state(view.state),
        "waiting": view.settled_at is None,
        "fault": found.fault_text(locale()),
        "verdicts": [(verdict_name(code), view.verdicts.get(code, 0), code) for code in VERDICTS],
        "adds_up": sum(view.verdicts.get(code, 0) for code in VERDICTS) == view.rows,
        "settles_on": tuple(found.settles_on.items()),
        "columns": (
            Column(gettext("行号"), "num"),
            Column(pgettext("row", "结论")),
            Column(gettext("原因")),
            Column(gettext("列"), "mono"),
            Column(gettext("值"), "mono"),
        ),
        "rows": [
            Row(
                (
                    digits(one.row_number),
                    verdict_name(one.verdict),
                    _reason(words.get(one.reason, one.reason), mended.get(one.row_number)),
                    one.field,
                    one.value,
                )
            )
            for one in found.outcomes
        ],
        "reasons": sorted(
            ((words.get(code, code), count) for code, count in found.reasons.items()),
            key=lambda pair: -pair[1],
        ),
        "outcomes_total": found.outcomes_total,
        "clipped": view.verdicts.get("clipped", 0),
        "more_after": found.outcomes[-1].row_number if len(found.outcomes) == ROWS_SHOWN else None,
    }


def _reason(sentence: str, by: tuple[int, int] | None) -> str:
    """Return why a row was not counted, and where it was made good."""
    if by is None:
        return sentence
    made_good = gettext("已更正：批次 #%(batch)s 第 %(row)s 行") % {"batch": by[0], "row": digits(by[1])}
    return f"{sentence} {made_good}"


def reason_words(found: BatchReport) -> dict[str, str]:
    """Return the sentences of the reasons: the platform's, and those of the methodologies that the batch met."""
    codes = {*found.reasons, *(one.reason for one in found.outcomes)}
    words = {code: found.reason_text(code, locale()) for code in codes}
    unknown = {code for code, text in words.items() if text == code}
    for feed in activity.feeds(partner_id=found.batch.partner_id) if unknown else ():
        version = _filed(feed.scenario)
        if version is not None:
            words |= {
                rule.code: rule.message.text(locale()) for rule in version.eligibility if rule.code in unknown
            }
    return words


def _filed(scenario: str) -> MethodologyVersion | None:
    """Return the methodology that is filed for a scenario today, or nothing."""
    try:
        return methodology.loaded(methodology.filed_version(scenario=scenario, day=timezone.localdate()).id)
    except Refusal:
        return None


def _scenario_columns(code: str, name: str) -> Section:
    version = _filed(code)
    rows = []
    for field in version.fields if version else ():
        bounds = f"{field.low:f} – {field.high:f}" if field.kind == "number" else " | ".join(field.options)
        rows.append(
            Row(
                (
                    field.code,
                    "" if field.nullable else gettext("必填"),
                    field.name.text(locale()),
                    field.display_unit.text(locale()),
                    bounds,
                    str(field.places) if field.kind == "number" else "",
                )
            )
        )
    return Section(
        title=f"{name}，{code}",
        columns=(
            Column(gettext("列名"), "mono"),
            Column(gettext("必填")),
            Column(gettext("含义")),
            Column(gettext("单位"), "soft"),
            Column(gettext("范围或选项"), "soft"),
            Column(gettext("小数位数"), "num"),
        ),
        rows=rows,
        empty=gettext("这个场景还没有备案的方法学，现在送来的记录不能计入。"),
        empty_next=gettext("备案以后，这里会列出它要的列。"),
        note=gettext("方法学 %(title)s") % {"title": version.title.text(locale())} if version else "",
    )


def _with_mark(lines: Any) -> Any:
    """Begin with the mark by which spreadsheets know UTF-8."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}"
    yield from lines
