"""A sample's quality report as sections (质量报告): what was measured, by which rule, and which rows it was."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from django.urls import reverse
from django.utils.translation import gettext, pgettext

from tanpuhui.behaviour.activity.queries import QualityReport, SampleRow, SampleView
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Fact, Row
from tanpuhui.interfaces.workbench.docking_words import (
    change_name,
    check_name,
    measure_meaning,
    measure_name,
    minutes_text,
    precondition_text,
    row_reason,
)
from tanpuhui.interfaces.workbench.parts import Section, at_moment, digits, link, state_mark
from tanpuhui.interfaces.workbench.words import verdict_name

PERCENT = 100
EXAMPLES_SHOWN = 5


def percent(value: Fraction | None) -> str:
    """Write an exact share in per cent, rounded down to two places; a dash where there is none."""
    if value is None:
        return "—"
    hundredths = int(value * PERCENT * PERCENT)
    return f"{hundredths // PERCENT}.{hundredths % PERCENT:02d}%"


def facts(view: SampleView) -> list[Fact]:
    """Return what the sample is, and when it goes."""
    writing = view.report.encoding
    written = [
        {"csv": "CSV", "ndjson": "NDJSON"}.get(writing.file_format, writing.file_format),
        gettext("UTF-8，有字节序标记") if writing.byte_order_mark else "UTF-8",
        writing.line_end,
        *([gettext("压缩或打包")] if writing.compressed else []),
    ]
    zones = gettext("%(zoned)s 行写明时区，%(unzoned)s 行没有（按北京时间理解）") % {
        "zoned": digits(writing.zoned_rows),
        "unzoned": digits(writing.unzoned_rows),
    }
    if view.erased_at is not None:
        gone = gettext("原文件和逐行结果已于 %(day)s 删除") % {
            "day": f"{figures.local_day(view.erased_at):%Y-%m-%d}"
        }
    elif view.erase_on is not None:
        gone = gettext("原文件和逐行结果保存到 %(day)s") % {"day": f"{view.erase_on:%Y-%m-%d}"}
    else:
        gone = gettext("保存期限未定，由人手工删除")
    return [
        Fact(gettext("上传"), at_moment(view.received_at)),
        Fact(gettext("写法"), "，".join(written) if not figures.in_english() else ", ".join(written)),
        Fact(gettext("时间"), zones),
        Fact("SHA-256", figures.short_digest(view.file_sha256), mono=True),
        Fact(
            gettext("方法学"),
            "; ".join(
                f"{one.code} {one.version}" + ("" if one.filed else " " + gettext("（未备案，试算）"))
                for one in view.report.versions
            )
            or "—",
        ),
        Fact(gettext("保存"), gone),
    ]


def score_section(report: QualityReport) -> Section:
    """Return the six shares with their weights and the score."""
    rows = []
    for one in report.components:
        weight = gettext("未定") if one.weight is None else digits(one.weight)
        rows.append(
            Row(
                (
                    measure_name(one.measure),
                    measure_meaning(one.measure),
                    f"{digits(one.share.part)} / {digits(one.share.whole)}" if one.applies else "—",
                    one.share.percent_text() if one.applies else gettext("不适用"),
                    weight,
                )
            )
        )
    note = (
        gettext("评分 %(score)s，按权重平均，向下取到两位。") % {"score": percent(report.score)}
        if report.score is not None
        else gettext("权重或及时的时限还没有定，因此不评分，由人判断并写明理由。")
    )
    return Section(
        title=gettext("质量"),
        columns=(
            Column(gettext("指标")),
            Column(gettext("数的是什么"), "soft"),
            Column(pgettext("quality", "数"), "num"),
            Column(gettext("比例"), "num"),
            Column(gettext("权重"), "num"),
        ),
        rows=rows,
        note=note,
    )


def checks_section(report: QualityReport) -> Section:
    """Return the conditions of passing, each met or not, or not set."""
    marks = {
        True: ("ok", gettext("达到")),
        False: ("bad", gettext("没有达到")),
        None: ("wait", gettext("未定")),
    }
    return Section(
        title=gettext("通过条件"),
        columns=(Column(gettext("条件")), Column(gettext("要求"), "num"), Column(gettext("结果"))),
        rows=[
            Row((check_name(one.code), _threshold(one.code, one.value), state_mark(marks[one.met])))
            for one in report.checks
        ],
        note=gettext("缺一个条件就没有达到；规则没有定值的，由经办岗判断并写明理由。"),
    )


def _threshold(code: str, value: str | None) -> str:
    if value is None:
        return gettext("未定")
    if not value:
        return ""
    if code == "rows_min":
        return f"≥ {digits(int(value))}"
    return f"≥ {percent(Fraction(value))}"


def lacks(report: QualityReport) -> list[str]:
    """Return what the scheme still lacks; the sample is not at fault."""
    return [precondition_text(one.code, one.detail) for one in report.preconditions]


def reasons_section(report: QualityReport, rows: Sequence[SampleRow]) -> Section:
    """Return why rows do not count, with the first row numbers of each reason."""
    examples: dict[str, list[str]] = {}
    for row in rows:
        found = examples.setdefault(row.reason, [])
        if len(found) < EXAMPLES_SHOWN:
            found.append(digits(row.row_number))
    return Section(
        title=gettext("没有计入的原因"),
        columns=(
            Column(gettext("原因")),
            Column(gettext("结论")),
            Column(gettext("行数"), "num"),
            Column(gettext("行号"), "soft"),
        ),
        rows=[
            Row(
                (
                    row_reason(one.code),
                    verdict_name(one.verdict),
                    digits(one.rows),
                    ", ".join(examples.get(one.code, [])),
                )
            )
            for one in report.reasons
        ],
        empty=gettext("每一行都能计入。"),
    )


def completeness_section(report: QualityReport) -> Section:
    """Return how many rows fill each column."""
    return Section(
        title=gettext("每一列的完整程度"),
        columns=(
            Column(gettext("列名"), "mono"),
            Column(gettext("必填")),
            Column(gettext("填了"), "num"),
            Column(gettext("比例"), "num"),
        ),
        rows=[
            Row(
                (
                    one.field,
                    gettext("必填") if one.required else "",
                    f"{digits(one.filled.part)} / {digits(one.filled.whole)}",
                    one.filled.percent_text(),
                )
            )
            for one in report.completeness
        ],
        empty=gettext("没有读到任何列。"),
    )


def plausibility_section(report: QualityReport) -> Section:
    """Return the numbers of each field against the methodology's range."""
    rows = []
    for one in report.plausibility:
        remark = (
            gettext("%(n)s 个数除以 1000 就在范围内：请核对单位（例如把米当成了公里）。")
            % {"n": digits(one.thousandfold)}
            if one.thousandfold
            else ""
        )
        rows.append(
            Row(
                (
                    one.field,
                    f"{one.low} – {one.high}",
                    one.smallest,
                    one.median,
                    one.largest,
                    digits(one.outside),
                    digits(one.extreme),
                ),
                remark=remark,
            )
        )
    return Section(
        title=gettext("数值是否合理"),
        columns=(
            Column(gettext("列名"), "mono"),
            Column(gettext("方法学的范围"), "num"),
            Column(gettext("最小"), "num"),
            Column(gettext("中位数"), "num"),
            Column(gettext("最大"), "num"),
            Column(gettext("范围以外"), "num"),
            Column(gettext("极端值"), "num"),
        ),
        rows=rows,
        empty=gettext("方法学没有数值列，或样本里没有数值。"),
        note=gettext("极端值：离四分位点超过三倍四分位距（Tukey 1977 的外栏）。极端不等于错误，请核对。"),
    )


def timeliness_section(report: QualityReport) -> Section:
    """Return how long after the activities the file came."""
    found = report.timeliness
    rows = []
    if found is not None:
        within = found.within.percent_text() if found.within else gettext("未定")
        rows = [
            Row((gettext("一半的记录在多久以内"), minutes_text(found.median_minutes))),
            Row((gettext("95% 的记录在多久以内"), minutes_text(found.p95_minutes))),
            Row((gettext("最久"), minutes_text(found.longest_minutes))),
            Row((gettext("在规定时间以内"), within)),
        ]
    return Section(
        title=gettext("从行为结束到送达"),
        columns=(Column(""), Column(gettext("时间"), "num")),
        rows=rows,
        empty=gettext("没有读到时间。"),
    )


def columns_section(report: QualityReport) -> Section:
    """Return the columns of the file: declared or not, read or not."""
    return Section(
        title=gettext("文件里的列"),
        columns=(Column(gettext("列名"), "mono"), Column(gettext("申请书")), Column(gettext("读取"))),
        rows=[
            Row(
                (
                    one.name,
                    state_mark(("ok", gettext("已列出")))
                    if one.declared
                    else state_mark(("bad", gettext("没有列出"))),
                    gettext("读取") if one.used else gettext("不读取"),
                ),
                remark=""
                if one.declared
                else gettext("请从文件里去掉这一列；确有用途的，写进申请书再试送。"),
            )
            for one in report.columns
        ],
        empty=gettext("没有读到列名。"),
    )


def changes_section(report: QualityReport) -> Section:
    """Return this sample beside the one before of the same definition."""
    return Section(
        title=gettext("与上一份样本相比"),
        columns=(Column(""), Column(gettext("上一份"), "num"), Column(gettext("这一份"), "num")),
        rows=[Row((change_name(one.measure), one.before, one.now)) for one in report.changes],
        empty=gettext("这是按现在的接入定义试送的第一份样本。"),
    )


def rows_section(view: SampleView, rows: Sequence[SampleRow]) -> Section:
    """Return rows with their verdict, each leading to why it gives what it gives."""
    return Section(
        title=gettext("逐行结果"),
        columns=(
            Column(gettext("行号"), "num"),
            Column(gettext("结论")),
            Column(gettext("减排量 g"), "num"),
            Column(gettext("原因")),
            Column(gettext("列"), "mono"),
            Column(gettext("值"), "mono"),
            Column(""),
        ),
        rows=[
            Row(
                (
                    digits(row.row_number),
                    verdict_name(row.verdict),
                    "" if row.grams is None else digits(row.grams),
                    row.text("en" if figures.in_english() else "zh"),
                    row.field,
                    row.value,
                    ""
                    if row.version_id is None
                    else link(
                        reverse("workbench:sample", args=[view.id]) + f"?row={row.row_number}#why",
                        gettext("解释"),
                    ),
                )
            )
            for row in rows
        ],
        empty=gettext("没有读到任何行。"),
    )


def acceptance_facts(view: SampleView, name: str) -> list[Fact]:
    """Return who accepted the sample in writing, when, and why."""
    accepted = view.acceptance
    if accepted is None:
        return []
    return [
        Fact(gettext("书面接受"), f"{name} {figures.local_day(accepted.at):%Y-%m-%d}"),
        Fact(gettext("理由"), accepted.reason),
    ]
