"""What the public reads of experts and their reviews: fields, recusals, seats, votes, conclusions, standings."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.interfaces.portal.navigation import in_english, worded
from tanpuhui.science.methodology.queries import review_sheet


def field_names(codes: Sequence[str]) -> str:
    """Return fields of expertise by name."""
    names = {one.code: worded(one.label_zh, one.label_en) for one in review_sheet(at=timezone.now()).fields}
    return (", " if in_english() else "、").join(names.get(code, code) for code in codes)


def recusal_reason(reason: str) -> str:
    """Say why an expert was recused, without the particulars."""
    return {
        "employer": gettext("单位是申请方或当事方"),
        "member": gettext("本人是申请方或当事方的成员"),
        "project": gettext("单位在本场景有项目或数据"),
        "declared": gettext("申报过利害关系"),
        "author": gettext("编写或提交了本方法学"),
        "decided": gettext("在本案作过其他决定"),
        "excluded": gettext("曾被移出本案"),
    }.get(reason, reason)


def seat_state(state: str) -> tuple[str, str]:
    """Return tone and words of a seat."""
    return {
        "seated": ("wait", gettext("等待声明")),
        "declared": ("ok", gettext("参加评审")),
        "recused": ("", gettext("声明有利害关系，回避")),
        "passed_over": ("", gettext("轮到时须回避，跳过")),
        "excluded": ("bad", gettext("因利害关系移出")),
    }.get(state, ("", state))


def vote_name(vote: str) -> str:
    """Return what a vote is called."""
    return {"for": gettext("赞成"), "against": gettext("反对"), "abstain": gettext("弃权")}.get(vote, vote)


def conclusion_name(conclusion: str) -> str:
    """Return what a meeting concluded."""
    return {
        "recommend": gettext("推荐备案"),
        "return": gettext("退回补正"),
        "reject": gettext("不予推荐"),
    }.get(conclusion, conclusion)


def standing_words(kind: str) -> tuple[str, str]:
    """Return tone and words of what holds of a filed version."""
    return {
        "suspended": ("bad", gettext("暂停使用")),
        "resumed": ("ok", gettext("恢复使用")),
        "superseded": ("wait", gettext("由新版本接替")),
        "repealed": ("bad", gettext("废止")),
        "confirmed": ("ok", gettext("复审后维持有效")),
    }.get(kind, ("", kind))
