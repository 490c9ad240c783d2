"""The words of expert review on the desk: tasks, seats, terms and interests; the others are the design's."""

from __future__ import annotations

from django.utils.translation import gettext


def review_task(kind: str) -> str:
    """Return what a panel asks of an expert."""
    return {
        "declare": gettext("声明利害关系"),
        "review": gettext("提交评审意见"),
        "vote": gettext("表决"),
        "sign": gettext("签署结论"),
    }.get(kind, kind)


def seat_state(state: str) -> tuple[str, str]:
    """Return tone and words of a seat of a panel."""
    return {
        "seated": ("wait", gettext("等待声明")),
        "declared": ("ok", gettext("已声明无利害关系")),
        "recused": ("bad", gettext("声明有利害关系，回避")),
        "passed_over": ("", gettext("轮到时须回避，跳过")),
        "excluded": ("bad", gettext("因利害关系移出")),
    }.get(state, ("", state))


def term_state(state: str) -> tuple[str, str]:
    """Return tone and words of an expert's term."""
    return {
        "proposed": ("wait", gettext("已提名，等待聘任")),
        "appointed": ("ok", gettext("在聘")),
        "declined": ("bad", gettext("不予聘任")),
        "withdrawn": ("", gettext("提名已撤回")),
        "ended": ("bad", gettext("已解聘")),
        "over": ("", gettext("聘期已满")),
        "ahead": ("", gettext("聘期未到")),
    }.get(state, ("", state))


def interest_kind(kind: str) -> str:
    """Return what an expert can have an interest in."""
    return {
        "organisation": gettext("机构"),
        "project": gettext("项目"),
        "methodology": gettext("方法学"),
    }.get(kind, kind)
