"""What the public reads of seats of a panel and of what holds of a filed version; the other words are the design's."""

from __future__ import annotations

from django.utils.translation import gettext


def seat_state(state: str) -> tuple[str, str]:
    """Return tone and words of a seat."""
    return {
        "seated": ("wait", gettext("等待声明")),
        "declared": ("ok", gettext("参加评审")),
        "recused": ("", gettext("声明有利害关系，回避")),
        "passed_over": ("", gettext("轮到时须回避，跳过")),
        "excluded": ("bad", gettext("因利害关系移出")),
    }.get(state, ("", state))


def standing_words(kind: str) -> tuple[str, str]:
    """Return tone and words of what holds of a filed version."""
    return {
        "suspended": ("bad", gettext("暂停使用")),
        "resumed": ("ok", gettext("恢复使用")),
        "superseded": ("wait", gettext("由新版本接替")),
        "repealed": ("bad", gettext("废止")),
        "confirmed": ("ok", gettext("复审后维持有效")),
    }.get(kind, ("", kind))
