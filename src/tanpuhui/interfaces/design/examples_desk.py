"""Example values of the desk for the style guide: inbox, case, parameters. All invented."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Tonnes
from tanpuhui.interfaces.design.parts import (
    CaseHeader,
    Choice,
    Column,
    InboxRow,
    Row,
    SourceRow,
    Step,
    Tab,
    TimelineEntry,
)

BEIJING = dt.timezone(dt.timedelta(hours=8))
HEAD = "7c41e09d3b8f22a6c05d11e8f7a9035c6db2f4417ae980c35506bb1291d04e5c"
HERE = "#"


def desk_parts() -> dict[str, Any]:
    names = (
        gettext("全部"),
        gettext("受理"),
        gettext("复核"),
        gettext("公示"),
        gettext("评审"),
        gettext("结算"),
        gettext("申诉"),
        gettext("补正"),
    )
    counts = (12, 4, 3, 1, 1, 1, 1, 1)
    bus = (1, 1, 0, 0, 1, 3, 12, 26, 30, 18, 12, 11, 13, 12, 10, 11, 16, 28, 31, 20, 13, 8, 4, 2)
    late = (22,) * 5 + (26,) * 4 + (31,) * 5 + (26,) * 4 + (1,) * 6
    return {
        "inbox": _inbox(),
        "tabs": [
            Tab(name, HERE, count, active=not index)
            for index, (name, count) in enumerate(zip(names, counts, strict=True))
        ],
        "sources": (
            SourceRow(gettext("市公交"), "ok", gettext("正常"), bus, 1_284_930),
            SourceRow(gettext("市地铁"), "ok", gettext("正常"), bus[::-1], 902_117),
            SourceRow(gettext("电网"), "wait", gettext("晚 3 小时"), late, 88_204),
        ),
        "books": (
            (gettext("克"), gettext("昨日入账"), Grams(943_106_417)),
            (gettext("积分"), gettext("昨日发放"), Points(24_206_335)),
            (gettext("吨"), gettext("在册持有"), Tonnes(98_113)),
            (gettext("元"), gettext("本月应付"), Fen(18_264_000)),
        ),
        "log_head": HEAD,
    } | _case_parts()


# fmt: off
WAITING = (
    (_("复核"), _("签发 1,842 t：海带养殖固碳，2025 年度"), "ISS-2026-0317", _("渔业合作社"), _("复核差异"), 5, 0),
    (_("申诉"), _("公交记录未计入：换乘间隔 61 分钟"), "APL-2026-4402", _("个人，王*岚"), _("答复"), 5, 1),
    (_("公示"), _("农村清洁取暖（空气源热泵）方法学，3 条意见"), "MTH-2026-0009", _("绿建中心"), _("回复意见"), 20, 3),
    (_("结算"), _("10 月商户结算 182,640.00 元，1 户异议"), "STL-2026-10", _("46 户商户"), _("处理异议"), 10, 3),
    (_("受理"), _("户用光伏聚合项目二期"), "PRJ-2026-0588", _("新能源公司"), _("核对材料"), 5, 3),
    (_("评审"), _("滨海盐沼植被修复碳汇方法学，已交 2/5"), "MTH-2026-0012", _("生态研究院"), _("催办"), 10, 4),
    (_("受理"), _("平原造林碳汇项目"), "PRJ-2026-0591", _("林业公司"), _("核对材料"), 5, 4),
    (_("复核"), _("积分调整 +12,400 分：地铁闸机补录"), "PTS-2026-0083", _("分中心"), _("复核差异"), 5, 4),
)
# fmt: on


def _inbox() -> list[InboxRow]:
    rows = [
        InboxRow(
            str(kind),
            str(title),
            number,
            HERE,
            str(who),
            str(action),
            gettext("甲市"),
            total,
            left,
        )
        for kind, title, number, who, action, total, left in WAITING
    ]
    title, office = gettext("无纸化办公场景，2 项材料待补"), gettext("机关事务局")
    stopped = InboxRow(
        gettext("补正"),
        title,
        "SCN-2026-0021",
        HERE,
        office,
        gettext("查看"),
        gettext("乙市"),
        5,
        2,
        stopped=True,
    )
    return [*rows, stopped]


def _case_parts() -> dict[str, Any]:
    at = dt.datetime
    return {
        "case": CaseHeader(
            "MTH-2026-0012",
            gettext("滨海盐沼植被修复碳汇方法学"),
            "wait",
            gettext("专家评审"),
            (
                Step(gettext("申请"), "10-12", "done"),
                Step(gettext("受理"), "10-19", "done"),
                Step(gettext("市级初核"), "10-30", "done"),
                Step(gettext("专家评审"), gettext("进行中，已交 2/5"), "now"),
                Step(gettext("公示"), gettext("20 个工作日")),
                Step(gettext("备案")),
            ),
            version=gettext("0.9 版"),
            about=(gettext("生态研究院"), gettext("丙市"), gettext("项目类"), gettext("自然碳汇培育")),
            next_action=gettext("提交您的评审意见"),
            started=dt.date(2026, 11, 12),
            due=dt.date(2026, 11, 26),
            days_total=10,
            days_left=4,
        ),
        "timeline": (
            TimelineEntry(
                gettext("修改后同意"),
                at(2026, 11, 18, 16, 20, tzinfo=BEIJING),
                gettext("宋**，海洋生态"),
                gettext("另有 1 条参数意见，见"),
                "ok",
                "EF",
                HERE,
            ),
            TimelineEntry(
                gettext("同意"),
                at(2026, 11, 16, 9, 5, tzinfo=BEIJING),
                gettext("赵**，碳汇计量"),
                gettext("样方数满足 90% 可靠性要求。"),
                "ok",
            ),
            TimelineEntry(
                gettext("抽取专家"),
                at(2026, 11, 9, 10, 0, tzinfo=BEIJING),
                gettext("省碳普惠运营中心"),
                gettext("随机抽取 5 人，2 人回避后补抽。"),
            ),
            TimelineEntry(
                gettext("初核通过"),
                at(2026, 10, 30, 15, 41, tzinfo=BEIJING),
                gettext("丙市生态环境局"),
                gettext("海域使用权证与修复边界一致。"),
                link_label=gettext("附件 6 份"),
                url=HERE,
            ),
        ),
        "decisions": (
            Choice("agree", gettext("同意")),
            Choice("amend", gettext("修改后同意"), selected=True),
            Choice("return", gettext("退回补正")),
        ),
        "opinion": gettext("仅有一年样方，建议按 5.3 条取下四分位值，并补交 2024 年秋季数据。"),
    } | _parameters()


def _parameters() -> dict[str, Any]:
    high, middle = gettext("高"), gettext("中")
    checked = format_html('<span class="state state-ok">{}</span>', gettext("已核"))
    asked = format_html('<span class="state state-info">{}</span>', gettext("有意见 1"))
    blocks = format_html('<span class="state state-bad">{}</span>', gettext("阻止计算"))
    carbon = SafeString('t C/(ha<i class="mid"></i>a)')
    methane = SafeString('kg/(ha<i class="mid"></i>a)')
    soil = format_html("<i>r</i><sub>{}</sub>", gettext("土"))
    plants = format_html("Δ<i>C</i><sub>{}</sub>", gettext("生"))
    gas, table_12, table_14 = (
        SafeString("<i>EF</i><sub>CH4</sub>"),
        _("IPCC 2013 湿地补编，表 4.12"),
        _("IPCC 2013 湿地补编，表 4.14"),
    )
    remark = gettext("盐度分层应取春秋两季均值，单次采样不足以支持排放因子取 0。")
    kinds = (
        (_("符号"), "symbol"),
        (_("含义"), ""),
        (_("取值"), "num"),
        (_("单位"), "soft"),
        (_("来源"), "soft"),
        (_("可信度"), ""),
        (_("状态"), ""),
    )
    cells = (
        (SafeString("<i>A</i>"), _("修复面积"), "312.400", "ha", _("分层调查报告，表 4"), high, checked),
        (soil, _("土壤有机碳积累速率"), "0.91", carbon, table_12, high, checked),
        (plants, _("植被生物量碳变化"), "1.37", carbon, _("样方实测，n = 24"), middle, asked),
        (gas, _("甲烷排放因子，盐度 ≥ 18"), "0", methane, table_14, high, asked),
        ("GWP", _("甲烷 100 年增温潜势"), "27.9", "", "IPCC AR6", high, checked),
        (SafeString("<i>K</i>"), _("非持久性风险扣减"), _("未设值"), "", _("等待省厅确定"), "–", blocks),
    )
    said = {3: ("宋**", remark)}
    return {
        "columns": [Column(str(label), kind) for label, kind in kinds],
        "parameters": [
            Row(
                [str(cell) if not isinstance(cell, SafeString) else cell for cell in row],
                "",
                index == 5,
                *said.get(index, ("", "")),
            )
            for index, row in enumerate(cells)
        ],
    }
