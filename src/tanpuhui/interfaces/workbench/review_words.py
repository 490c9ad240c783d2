"""The words of expert review: tasks, seats, recusals, votes, conclusions and fields, in the page's language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.interfaces.workbench.words import in_english, worded
from tanpuhui.science.methodology.queries import review_sheet


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


def recusal_reason(reason: str, detail: str = "") -> str:
    """Say why an expert is recused; `detail` is the fact as it was recorded."""
    words = {
        "employer": gettext("单位是申请方或当事方"),
        "member": gettext("本人是申请方或当事方的成员"),
        "project": gettext("单位在本场景有项目或数据"),
        "declared": gettext("申报过利害关系"),
        "author": gettext("编写或提交了本方法学"),
        "decided": gettext("在本案作过其他决定"),
        "excluded": gettext("曾被移出本案"),
        "term": gettext("聘期已满"),
    }.get(reason, reason)
    return f"{words} ({detail})" if detail else words


def conclusion_name(conclusion: str) -> tuple[str, str]:
    """Return tone and words of what an expert recommends or a meeting concludes."""
    return {
        "recommend": ("ok", gettext("推荐备案")),
        "return": ("wait", gettext("退回补正")),
        "reject": ("bad", gettext("不予推荐")),
    }.get(conclusion, ("", conclusion))


def vote_name(vote: str) -> str:
    """Return what a vote is called."""
    return {"for": gettext("赞成"), "against": gettext("反对"), "abstain": gettext("弃权")}.get(vote, vote)


def interest_kind(kind: str) -> str:
    """Return what an expert can have an interest in."""
    return {
        "organisation": gettext("机构"),
        "project": gettext("项目"),
        "methodology": gettext("方法学"),
    }.get(kind, kind)


def field_choices() -> list[tuple[str, str]]:
    """Return the fields of expertise of today's review sheet, by code and name."""
    return [(one.code, worded(one.label_zh, one.label_en)) for one in review_sheet(at=timezone.now()).fields]


def field_names(codes: Sequence[str]) -> str:
    """Return fields of expertise by name."""
    names = dict(field_choices())
    return (", " if in_english() else "、").join(names.get(code, code) for code in codes)
