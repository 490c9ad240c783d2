"""Tags of the phone: drops, water, statements, explanations, coupons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.interfaces.design import drawing, figures, scales

register = template.Library()
Shown = str | SafeString


@register.inclusion_tag("design/parts/drop.html")
def drop(item: Any) -> dict[str, Any]:
    """`{% drop item %}`: one Drop, its width by the square root of its grams."""
    return scales.drop_scale(item)


@register.inclusion_tag("design/parts/sky.html")
def sky(drops: Sequence[Any], more_url: str = "") -> dict[str, Any]:
    """`{% sky drops more_url %}`: at most five Drops over the water, then 还有 n 笔. Not shown in elder mode."""
    return {"drops": drops[:5], "rest": max(len(drops) - 5, 0), "more_url": more_url}


@register.inclusion_tag("design/parts/water.html", takes_context=True)
def water(
    context: RequestContext,
    value: Grams,
    *,
    caption: str = "",
    last: Grams | None = None,
    collect: Grams | None = None,
    collect_url: str = "",
    lines: Sequence[Shown] = (),
    elder_line: str = "",
) -> dict[str, Any]:
    """`{% water total caption="11 月减排" last=last_month collect=waiting collect_url=url lines=lines %}`.

    The deep field with the level, the staff (now, and the same time last month), comparison lines, and the one button,
    a form that posts to `collect_url`. In elder mode the staff goes and `elder_line` replaces the lines.
    """
    scale = drawing.staff(
        figures.exact(value) / figures.GRAMS_PER_KG,
        figures.exact(last) / figures.GRAMS_PER_KG if last is not None else None,
        "kg",
    )
    return {
        "csrf_token": context.get("csrf_token"),
        "value": value,
        "caption": caption,
        "staff": scale,
        "collect": collect,
        "collect_url": collect_url,
        "lines": lines,
        "elder_line": elder_line,
    }


@register.inclusion_tag("design/parts/record_row.html")
def record_row(row: Any) -> dict[str, Any]:
    """`{% record_row row %}`: a RecordRow; the whole row opens its explanation."""
    return {"row": row}


@register.inclusion_tag("design/parts/record_list.html")
def record_list(
    rows: Sequence[Any], title: str = "", more_url: str = "", more_label: str = ""
) -> dict[str, Any]:
    """`{% record_list rows "今天" more_url "全部记录" %}`: rows under a heading."""
    return {
        "rows": rows,
        "title": title,
        "more_url": more_url,
        "more_label": more_label or gettext("全部记录"),
    }


@register.inclusion_tag("design/parts/explanation.html")
def explanation(item: Any) -> dict[str, Any]:
    """`{% explanation item %}`: an Explanation, the whole page body of "这 436 g 怎么来的"."""
    return {"item": item}


@register.inclusion_tag("design/parts/ledgers.html")
def ledgers(items: Sequence[Any]) -> dict[str, Any]:
    """`{% ledgers items %}`: up to three Ledger side by side."""
    return {"items": items}


@register.inclusion_tag("design/parts/week.html")
def week(days: Sequence[Any]) -> dict[str, Any]:
    """`{% week days %}`: the seven Day of the check-in week."""
    return {"days": days}


@register.inclusion_tag("design/parts/doors.html")
def doors(items: Sequence[Any], phone: str = "") -> dict[str, Any]:
    """`{% doors items "12345" %}`: two Door and one telephone, for elders."""
    return {"items": items, "phone": phone}


@register.inclusion_tag("design/parts/coupon_ticket.html")
def coupon_ticket(coupon: Any) -> dict[str, Any]:
    """`{% coupon_ticket coupon %}`: a Coupon as a white ticket; htmx fetches `refresh_url` when the seconds are over."""
    path, size = drawing.qr_path(coupon.qr_content)
    ticket = {"coupon": coupon, "value": figures.face_value(coupon.value), "path": path, "size": size}
    ticket["code"] = figures.coupon_code(coupon.code)
    return ticket | scales.countdown_scale(coupon.seconds_left, coupon.seconds_total)


@register.inclusion_tag("design/parts/coupon_peek.html")
def coupon_peek(item: Any) -> dict[str, Any]:
    """`{% coupon_peek next %}`: the NextCoupon that peeks from below."""
    return {"item": item, "value": figures.face_value(item.value)}
