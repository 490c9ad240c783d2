"""The words of expert review, alike on every face: fields, recusals, votes and conclusions, in the page's language."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.interfaces.design.figures import in_english
from tanpuhui.science.methodology.queries import review_sheet


def field_choices() -> list[tuple[str, str]]:
    """Return the fields of expertise of today's review sheet, by code and name."""
    return [
        (one.code, (one.label_en if in_english() else one.label_zh) or one.label_zh)
        for one in review_sheet(at=timezone.now()).fields
    ]


def field_names(codes: Sequence[str]) -> str:
    """Return fields of expertise by name."""
    names = dict(field_choices())
    return (", " if in_english() else "、").join(names.get(code, code) for code in codes)


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


def vote_name(vote: str) -> str:
    """Return what a vote is called."""
    return {"for": gettext("赞成"), "against": gettext("反对"), "abstain": gettext("弃权")}.get(vote, vote)


def conclusion_name(conclusion: str) -> tuple[str, str]:
    """Return tone and words of what an expert recommends or a meeting concludes."""
    return {
        "recommend": ("ok", gettext("推荐备案")),
        "return": ("wait", gettext("退回补正")),
        "reject": ("bad", gettext("不予推荐")),
    }.get(conclusion, ("", conclusion))
