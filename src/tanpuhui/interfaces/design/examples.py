"""Example values of the style guide. People, organisations, numbers and places are invented; the arithmetic is right."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Tonnes
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.examples_desk import BEIJING, HEAD, HERE, desk_parts
from tanpuhui.interfaces.design.parts import (
    BalancePart,
    Cartogram,
    Check,
    CompareBars,
    Coupon,
    Crumb,
    Day,
    Door,
    Drop,
    Explanation,
    ExplanationStep,
    Fact,
    Ledger,
    NavigationItem,
    NextCoupon,
    Proof,
    RecordRow,
    Sea,
    Tile,
)

DIGEST = "9e02b7c451fa8d30e6b1d05f7722a94c31d9f0a6be5842771f40ce93c8177ae6"
SIDES = "right left left right left right right left right right right right left right right"


def shell(page: str) -> dict[str, Any]:
    """Return what the shell of a sample page needs from its view."""
    if page in {"citizen", "why", "coupon"}:
        return _citizen_shell(page)
    if page in {"desk", "case"}:
        return _desk_shell(page)
    labels = (_("政策标准"), _("方法学"), _("项目库"), _("信息公示"), _("登记查询"), _("开放数据"))
    on = page in {"certificate", "revoked"}
    return {
        "navigation": [
            NavigationItem(label, url=HERE, active=on and index == 4) for index, label in enumerate(labels)
        ],
        "crumbs": [Crumb(_("登记查询"), HERE), Crumb(_("消纳证书"), HERE), Crumb("RET-2026-001286")]
        if on
        else [],
        "search_url": HERE,
        "sign_in_url": HERE,
        "footer_links": [Crumb(_("政策标准"), HERE), Crumb(_("开放数据"), HERE)],
        "platform_name": _("碳普惠平台"),
    }


def _citizen_shell(page: str) -> dict[str, Any]:
    doors = ((_("首页"), "home"), (_("低碳"), "leaf"), (_("商城"), "bag"), (_("我的"), "person"))
    shell: dict[str, Any] = {
        "navigation": [
            NavigationItem(label, icon=icon, url=HERE, active=not index)
            for index, (label, icon) in enumerate(doors)
        ],
        "region_name": _("甲市"),
        "region_url": HERE,
        "messages_url": HERE,
        "unread": 1,
    }
    if page != "citizen":
        shell |= {"back_url": HERE, "page_title": _("这 436 g 怎么来的") if page == "why" else _("出示券码")}
    return shell


def _desk_shell(page: str) -> dict[str, Any]:
    rooms: tuple[tuple[str, str, int | None, bool], ...]
    if page == "case":
        rooms = (
            (_("待评审"), "inbox", 3, False),
            (_("评审会议"), "people", 1, False),
            (_("回避申报"), "shield", None, False),
            (_("试算沙箱"), "flask", None, True),
            (_("我的意见"), "pen", None, False),
            (_("方法学库"), "file", None, True),
            (_("专业资料"), "person", None, False),
        )
        who = {"role_name": _("专家委员会"), "person_name": "陈**", "person_note": _("湿地与土壤碳")}
        crumbs = [Crumb(_("待评审"), HERE), Crumb("MTH-2026-0012")]
    else:
        rooms = (
            (_("待办"), "inbox", 12, False),
            (_("公示"), "flag", None, False),
            (_("方法学"), "flask", None, True),
            (_("项目"), "leaf", None, False),
            (_("登记簿"), "layers", None, False),
            (_("场景与数据"), "chart", 1, True),
            (_("积分与结算"), "plus-circle", 2, False),
            (_("商城与商户"), "shop", None, False),
            (_("内容发布"), "file", None, True),
            (_("参数与假期"), "calendar", None, False),
        )
        who = {
            "role_name": _("省级运营，受理岗"),
            "person_name": "李文澜",
            "person_note": _("省碳普惠运营中心"),
        }
        crumbs = [Crumb(_("工作台"))]
    return {
        "navigation": [
            NavigationItem(label, icon=icon, url=HERE, active=not index, count=count, starts_group=gap)
            for index, (label, icon, count, gap) in enumerate(rooms)
        ],
        "crumbs": crumbs,
        "search_url": HERE,
        "messages_url": HERE,
        "account_url": HERE,
    } | who


def everything() -> dict[str, Any]:
    """Return one example of every part."""
    return _citizen_parts() | _register_parts() | desk_parts()


def _citizen_parts() -> dict[str, Any]:
    return {
        "total": Grams(18642),
        "total_tonnes": Grams(214_806_372_418),
        "last_month": Grams(17434),
        "waiting": Grams(1932),
        "water_caption": _("11 月减排，1–20 日"),
        "water_lines": (
            format_html(_("比上月同期多 {}"), figures.quantity("1,208", "g")),
            format_html(_("相当于少开燃油车 {}"), figures.quantity("74.5", "km")),
        ),
        "water_elder": _("有 4 笔可以收"),
        "drops": (
            Drop(Grams(266), "bike", _("骑行"), url=HERE),
            Drop(Grams(1022), "metro", _("地铁"), url=HERE),
            Drop(Grams(436), "bus", _("公交"), url=HERE),
            Drop(Grams(208), "walk", _("步行"), _("3 天后过期"), url=HERE),
            Drop(Grams(742), "power", _("节电"), _("22 日入账"), pending=True, url=HERE),
        ),
        "ledger_items": (
            Ledger(_("积分"), "1,286", HERE, note=_("42 分 12-31 到期"), urgent=True),
            Ledger(_("碳账户"), "126.408", HERE, "kg", _("自 2025-03-08")),
            Ledger(_("我的券"), "2", HERE, _("张"), _("1 张今日可用")),
        ),
        "week_days": [
            Day(name, 16 + index, "done" if index < 4 else "today" if index == 4 else "")
            for index, name in enumerate((_("一"), _("二"), _("三"), _("四"), _("五"), _("六"), _("日")))
        ],
        "records": (
            RecordRow(
                _("公交"), Grams(436), "collect", _("待收取"), format_html("K115{}8.4 km", SEP), "bus", HERE
            ),
            RecordRow(
                _("地铁"), Grams(1022), "posted", _("已入账"), format_html("3{}14.2 km", SEP), "metro", HERE
            ),
            RecordRow(_("节电"), Grams(742), "pending", _("22 日入账"), _("较基准少 1.2 kWh"), "power", HERE),
            RecordRow(
                _("公交"), Grams(0), "refused", _("未计入"), _("换乘间隔 61 分钟，超过 60 分钟"), "bus", HERE
            ),
        ),
        "door_items": (
            Door(_("我的券"), _("2 张"), "qr", HERE),
            Door(_("打卡"), _("今天还没打"), "calendar", HERE),
        ),
        "some_points": Points(1286),
        "some_fen": Fen(18_264_000),
    } | _citizen_pages()


def _citizen_pages() -> dict[str, Any]:
    kgkm = "kg/(人·km)"
    steps = (
        ExplanationStep(_("出行里程"), "8.4", "km", _("刷码上下车，线路里程"), "11-20 07:42", HERE),
        ExplanationStep(_("基准出行"), "0.104", kgkm, _("同样的路，本地平均排放"), "DB11/T 3043—2024", HERE),
        ExplanationStep(
            _("公交实际"), "0.052", kgkm, _("公共汽（电）车每人每公里"), "DB11/T 3043—2024", HERE
        ),
        ExplanationStep(
            _("相减，再乘里程"), formula="(0.104 − 0.052) × 8.4", result="0.4368", result_unit="kg"
        ),
        ExplanationStep(_("向下取整到克"), "436", "g", _("余 0.8 g 随记录留存，不累计")),
    )
    return {
        "why": Explanation(
            Grams(436),
            _("公交"),
            "bus",
            "collect",
            _("待收取"),
            "2026-11-20 07:42–08:11",
            CompareBars(_("基准出行"), Decimal("873.6"), _("公交"), Decimal("436.8"), _("少排")),
            steps,
            (
                Fact(_("方法学"), _("公交出行 1.2 版"), HERE),
                Fact(_("积分"), _("另得 9 分，与克数分开计算")),
                Fact(_("记录指纹"), "a3f1 9c07 … 52de", mono=True),
            ),
        ),
        "coupon": Coupon(
            _("早点铺"),
            _("满 15 元减 5 元"),
            Fen(500),
            "470829163350",
            "https://example.org/r/470829163350?t=k3v9d2m7q8x5w1",
            42,
            facts=(
                Fact(_("有效期"), _("今天起至 2026-12-20")),
                Fact(_("可用门店"), _("14 家，最近 350 米"), HERE),
                Fact(_("未使用"), _("到期自动退回 120 积分")),
            ),
        ),
        "next_coupon": NextCoupon(_("公交乘车券"), _("单次抵扣"), Fen(200), HERE),
    }


SEP = SafeString('<i class="sep"></i>')


def _register_parts() -> dict[str, Any]:
    balance = (
        BalancePart(_("持有"), Tonnes(98113), "held"),
        BalancePart(_("在途"), Tonnes(5200), "transit"),
        BalancePart(_("冻结"), Tonnes(1200), "frozen"),
        BalancePart(_("已消纳"), Tonnes(58907), "retired"),
    )
    checks = (
        Check(_("登记簿一致"), _("序列号 186 个，状态均为已消纳，未在别处使用")),
        Check(_("证书在公开日志中"), _("第 44,906 条，经 15 次哈希到达树头")),
        Check(_("树头已签名"), _("省运营中心 SM2 签名，3 家见证方各自保存")),
        Check(_("没有改写历史"), _("与 10 月 28 日的树头前后一致")),
    )
    seen = dt.datetime(2026, 11, 20, 10, 42, 7, tzinfo=BEIJING)
    broken = (
        Check(_("证书已撤销"), _("2026-11-02，登记簿记录的原因：受益方名称有误"), ok=False),
        *checks[1:],
    )
    return {
        "issued": Tonnes(163420),
        "wrong_issued": Tonnes(163400),
        "balance": balance,
        "retired": Tonnes(186),
        "serial_first": "PH-P0231-2024-000412",
        "serial_last": "PH-P0231-2024-000597",
        "certificate_facts": (
            (_("受益方"), _("2026 湿地徒步大会组委会")),
            (_("用途"), _("大型活动碳中和，活动排放 185.402 t，向上取整")),
            Fact(_("来源项目"), _("造林碳汇项目"), HERE),
            Fact(_("方法学"), _("造林碳汇 1.1 版"), HERE),
            (_("减排年份"), "2024"),
            (_("消纳日期"), "2026-10-28"),
            (_("申请方"), _("乙市体育局")),
        ),
        "proof": Proof(checks, SIDES.split(), DIGEST, 48217, HEAD, seen, HERE, "3.2 kB", HERE),
        "broken_proof": Proof(broken, SIDES.split(), DIGEST, 48217, HEAD, seen, HERE, "3.2 kB", HERE),
        "map": _map(),
        "notices": (
            (_("减排量"), _("造林碳汇项目，2025 年减排量"), 5, 15),
            (_("方法学"), _("农村清洁取暖（空气源热泵）方法学"), 3, 17),
            (_("项目"), _("户用光伏聚合项目一期"), 12, 8),
        ),
        "digest": DIGEST,
        "refused": NotPermitted(operation=_("签发")),
    }


def _map() -> Cartogram:
    places = "1,0,3.46 2,0,3.72 3,0,5.17 5,0,5.41 6,0,5.87 0,1,2.87 1,1,6.12 2,1,4.62 3,1,4.98 4,1,6.48"
    places += " 1,2,4.08 2,2,3.29 3,2,4.31 0,3,2.54 1,3,3.61 2,3,3.18"
    bounds = ("3.00", "3.60", "4.20", "5.00", "5.80")
    letters = "ABCDEFGHIJKLMNOP" if figures.in_english() else "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳"
    tiles = []
    for index, place in enumerate(places.split()):
        column, row, value = place.split(",")
        step = 1 + sum(Decimal(value) >= Decimal(bound) for bound in bounds)
        name = _("%(letter)s市") % {"letter": letters[index]}
        tiles.append(Tile(int(column), int(row), name, value, step, centre=index in {3, 4, 6, 8, 9}))
    return Cartogram(
        _("十六市户均减排方格图，下方有同样内容的表格"),
        tiles,
        bounds,
        _("kg/户，浅到深"),
        (Sea(4, 0, 1, _("北海")), Sea(5, 1, 1.8, _("东海")), Sea(4, 2, 2.6)),
        _("区域分中心"),
    )
