"""Applications, samples and data quality in words (场景申请、样本、数据质量用语)."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext

from tanpuhui.behaviour.activity.queries import reason_text
from tanpuhui.interfaces.workbench.words import locale


def application_state(state: str) -> tuple[str, str]:
    """Return tone and words of an application's state."""
    return {
        "draft": ("", gettext("草稿")),
        "applied": ("wait", gettext("办理中")),
        "returned": ("bad", gettext("退回补正")),
        "live": ("ok", gettext("已上线")),
        "rejected": ("bad", gettext("不予上线")),
        "withdrawn": ("", gettext("已撤回")),
    }.get(state, ("", state))


def sample_verdict(verdict: str) -> tuple[str, str]:
    """Return tone and words of what the rules say of a sample."""
    return {
        "passed": ("ok", gettext("达到要求")),
        "failed": ("bad", gettext("没有达到要求")),
        "undecided": ("wait", gettext("规则未定，由人判断")),
    }.get(verdict, ("", verdict))


def measure_name(measure: str) -> str:
    """Return what a measure of quality is called."""
    return {
        "readable": pgettext("quality", "可读"),
        "complete": pgettext("quality", "完整"),
        "valid": pgettext("quality", "有效"),
        "unique": pgettext("quality", "不重复"),
        "timely": pgettext("quality", "及时"),
        "plausible": pgettext("quality", "合理"),
    }.get(measure, measure)


def measure_meaning(measure: str) -> str:
    """Say what a measure counts."""
    return {
        "readable": gettext("读得成一条记录的行"),
        "complete": gettext("必填列中填了的单元格"),
        "valid": gettext("没有因自身原因被拒的行"),
        "unique": gettext("不是重复的行"),
        "timely": gettext("行为结束后在规定时间内送达的行"),
        "plausible": gettext("在方法学范围以内、也不是极端值的数"),
    }.get(measure, measure)


def check_name(code: str) -> str:
    """Return what a condition of passing is called."""
    return {
        "usable": gettext("文件能读"),
        "declared_only": gettext("只有申请书列出的列"),
        "calculated": gettext("至少一行能计算"),
        "rows_min": gettext("样本行数"),
        "valid_share_min": gettext("有效行的比例"),
        "score_min": gettext("评分"),
    }.get(code, code)


def precondition_text(code: str, detail: str) -> str:
    """Say what the scheme itself still lacks before records can be posted."""
    return {
        "METHODOLOGY_MISSING": gettext("没有这个场景的方法学：%(detail)s"),
        "METHODOLOGY_NOT_FILED": gettext("方法学还没有备案，这里是试算：%(detail)s"),
        "METHODOLOGY_BLOCKED": gettext("方法学缺少取值：%(detail)s"),
        "RULE_UNSET": gettext("规则没有取值：%(detail)s"),
    }.get(code, f"{code} %(detail)s") % {"detail": detail}


def change_name(measure: str) -> str:
    """Return what stands beside the last sample."""
    known = {
        "rows": gettext("行数"),
        "valid": gettext("有效行的比例"),
        "p95_minutes": gettext("95% 的记录在多少分钟内送达"),
    }
    if measure.startswith("median:"):
        return gettext("%(field)s 的中位数") % {"field": measure.removeprefix("median:")}
    return known.get(measure, measure)


def exclusion_name(code: str) -> str:
    """Return what a scheme is called in which the reduction must not count too."""
    return {
        "ets": gettext("全国或地方碳排放权交易"),
        "ccer": gettext("国家核证自愿减排量（CCER）"),
        "green_certificate": gettext("绿证、绿电交易"),
        "other_scheme": gettext("其他省市的碳普惠或国际机制"),
    }.get(code, code)


def row_reason(code: str) -> str:
    """Return why a row does not count."""
    return reason_text(code, locale())


def minutes_text(minutes: int) -> str:
    """Write a length of time in days, hours and minutes, nothing rounded."""
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    parts = [
        gettext("%(n)s 天") % {"n": days} if days else "",
        gettext("%(n)s 小时") % {"n": hours} if hours else "",
        gettext("%(n)s 分钟") % {"n": left} if left or not minutes else "",
    ]
    return " ".join(part for part in parts if part)
