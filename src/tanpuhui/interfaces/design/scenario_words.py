"""Scenarios in words (场景用语), the same on the portal, the phone and the desk."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext

from tanpuhui.behaviour.activity.queries import ScenarioClassView
from tanpuhui.interfaces.design.figures import in_english


def standing_text(standing: str) -> tuple[str, str]:
    """Return tone and words of how a scenario stands."""
    return {
        "live": ("ok", pgettext("standing", "运行中")),
        "suspended": ("wait", pgettext("standing", "暂停")),
        "closed": ("bad", pgettext("standing", "已关闭")),
    }.get(standing, ("", standing))


def reach_text(reach: str) -> str:
    """Say whether a scenario is the same everywhere or belongs to one place; empty where nobody said."""
    return {"general": pgettext("reach", "通用"), "regional": pgettext("reach", "特色")}.get(reach, "")


def tier_text(tier: int) -> str:
    """Say how good a feed's evidence is."""
    return {
        1: gettext("1 运营方记录"),
        2: gettext("2 签名设备"),
        3: gettext("3 上传凭证"),
        4: gettext("4 本人打卡"),
    }.get(tier, "")


def format_text(adapter: str) -> str:
    """Say in which format a partner's files come; a format without words stands by its code."""
    name = adapter.partition(".")[0]  # a field mapping is named mapped.<scenario>
    return {
        "standard": gettext("标准格式"),
        "mapped": gettext("自有格式"),
        "shenzhen_tong": gettext("交通卡刷卡流水"),
    }.get(name, adapter)


def class_name(code: str, classes: tuple[ScenarioClassView, ...]) -> str:
    """Return what a class is called in the rules of the day; the code where they no longer name it, empty for none."""
    found = next((one for one in classes if one.code == code), None)
    if found is None:
        return code
    return (found.name_en or found.name_zh) if in_english() else found.name_zh


def class_consequences(found: ScenarioClassView) -> list[str]:
    """Say what follows from a class, and what of it nobody has established."""
    unset = gettext("未确定")

    def worded(value: str | None) -> str:
        if value is None:
            return unset
        zh, _, en = value.partition(" / ")
        return (en or zh) if in_english() else zh

    return [
        gettext("额外性：%(value)s") % {"value": worded(found.additionality)},
        gettext("能否产生核证减排量：%(value)s") % {"value": worded(found.certifiable)},
    ]
