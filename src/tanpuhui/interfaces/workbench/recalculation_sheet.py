"""What a page says of a recalculation (重算): where it stands, what it foresees, how far it has come, what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from tanpuhui.behaviour.activity.queries import BANDS, RecalculationView, reason_text, scenarios
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.drawing import pixel
from tanpuhui.interfaces.design.parts import Column, Fact, Row
from tanpuhui.interfaces.workbench.parts import at_moment, digits, link
from tanpuhui.interfaces.workbench.words import locale, place_names, purpose_of_numbers, worded
from tanpuhui.science.engine import difference
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView

WAITING = frozenset({"prepared", "adjusting"})
CHANGES_SHOWN_MAX = 20
BAR_WIDTH = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A band of the chart: how much persons lose or gain, how many they are, and the bar."""

    label: str
    persons: int
    width: str
    tone: str


def sheet(view: RecalculationView, *, in_case: bool = False) -> dict[str, Any]:
    """Return all that the parts of a recalculation's page need; its case does not point at itself."""
    context: dict[str, Any] = {
        "view": view,
        "state": state_of(view),
        "waiting": view.state in WAITING,
        "facts": _facts(view, in_case=in_case),
        "changes": _changes(view),
        "purpose": purpose_of_numbers(methodology.version(view.to_version_id).purpose),
        "progress": _progress(view) if view.approved_at else None,
        "fault": view.fault,
    }
    if view.preview and view.state != "prepared":
        context |= _foreseen(view.preview) | {"notes": _notes(view)}
    if view.finished_at is not None:
        context["result"] = _result(view)
    return context


def state_of(view: RecalculationView) -> tuple[str, str]:
    """Return tone and words of where a recalculation stands."""
    return {
        "prepared": ("wait", gettext("正在试算")),
        "failed": ("bad", gettext("不能试算")),
        "previewed": ("info", gettext("试算完成，还没有提出")),
        "proposed": ("wait", gettext("等待复核")),
        "adjusting": ("wait", gettext("正在入账")),
        "done": ("ok", gettext("已完成")),
        "rejected": ("bad", gettext("不予重算")),
    }.get(view.state, ("", view.state))


def version_name(view: VersionView) -> str:
    """Return what tells a version apart: code, number, filing number, and the parameter set where there is one."""
    parts = [f"{view.code} {view.version}"]
    if view.filing_number:
        parts.append(view.filing_number)
    if view.parameter_set_code:
        parts.append(f"{view.parameter_set_code} {view.parameter_set_sha256[:8]}")
    return ", ".join(parts) if locale() == "en" else "，".join(parts)


def months_of(view: RecalculationView) -> str:
    """Write the months from first to last."""
    first, last = view.months[0], view.months[-1]
    return first if first == last else f"{first} {figures.EN_DASH} {last}"


def scenario_name(code: str) -> str:
    """Return the name of a scenario."""
    return next((worded(one.name_zh, one.name_en) for one in scenarios() if one.code == code), code)


def signed(value: int) -> str:
    """Write a change with its sign."""
    return f"+{digits(value)}" if value > 0 else digits(value)


def _facts(view: RecalculationView, *, in_case: bool) -> list[Fact]:
    old, new = methodology.version(view.from_version_id), methodology.version(view.to_version_id)
    facts = [
        Fact(gettext("场景"), scenario_name(view.scenario)),
        Fact(gettext("旧版本"), version_name(old)),
        Fact(gettext("新版本"), version_name(new)),
        Fact(gettext("月份"), months_of(view)),
        Fact(gettext("重算原因"), view.reason),
        Fact(gettext("试算时间"), at_moment(view.prepared_at)),
    ]
    if view.case_id is not None and not in_case:
        facts.append(
            Fact(gettext("办件"), link(reverse("workbench:case", args=[view.case_id]), gettext("看办件")))
        )
    return facts


def _changes(view: RecalculationView) -> list[str]:
    """Return what of the new version can change a result, in words; nothing where a version cannot be read."""
    try:
        found = difference(methodology.loaded(view.from_version_id), methodology.loaded(view.to_version_id))
    except Refusal:
        return []
    return [change.text(locale()) for change in found if change.changes_result][:CHANGES_SHOWN_MAX]


def _foreseen(preview: Mapping[str, Any]) -> dict[str, Any]:
    change = preview["grams"] - preview["old_grams"]
    return {
        "preview": preview,
        "change": digits(abs(change)),
        "change_sign": "−" if change < 0 else "+",
        "figures": [
            (gettext("有变的记录"), digits(preview["changed"]), digits(preview["records"])),
            (gettext("涉及的人"), digits(preview["accounts"]), ""),
            (gettext("积分差额"), signed(preview["points"]), ""),
            (gettext("预计待追回的积分"), digits(preview["short_points"]), ""),
        ],
        "month_columns": _columns(gettext("月份"), points=True),
        "month_rows": [_row(month["month"], month, points=True) for month in preview["months"]],
        "city_columns": _columns(gettext("城市"), points=False),
        "city_rows": [
            _row(place_names().get(city["area"], city["area"]), city, points=False)
            for city in preview["cities"]
        ],
        "bands": _bands(preview["bands"]),
        "extremes": (signed(preview["greatest_loss"]), signed(preview["greatest_gain"])),
    }


def _notes(view: RecalculationView) -> list[str]:
    preview = view.preview
    notes = []
    if preview["kept"]:
        sentence = ngettext(
            "%(n)s 条记录的轨迹已依法删除，不能重算，结果不变。",
            "%(n)s 条记录的轨迹已依法删除，不能重算，结果不变。",
            preview["kept"],
        )
        notes.append(sentence % {"n": digits(preview["kept"])})
    for reason, n in sorted(preview["not_counted"].items()):
        sentence = ngettext(
            "%(n)s 条记录按新版本不再计入：%(why)s", "%(n)s 条记录按新版本不再计入：%(why)s", n
        )
        notes.append(sentence % {"n": digits(n), "why": _reason(view, reason)})
    if preview["short_accounts"]:
        sentence = ngettext(
            "%(n)s 人的积分不够扣减，不够的部分记为待追回，余额不会为负。",
            "%(n)s 人的积分不够扣减，不够的部分记为待追回，余额不会为负。",
            preview["short_accounts"],
        )
        notes.append(sentence % {"n": digits(preview["short_accounts"])})
    return notes


def _reason(view: RecalculationView, reason: str) -> str:
    """Return why the new version does not count a record: its own sentence, or intake's with the field."""
    code, _, field = reason.partition(":")
    try:
        rules = methodology.loaded(view.to_version_id).eligibility
    except Refusal:
        rules = ()
    own = next((rule.message.text(locale()) for rule in rules if rule.code == code), "")
    return own or " ".join(part for part in (reason_text(code, locale()), field) if part)


def _columns(first: str, *, points: bool) -> tuple[Column, ...]:
    columns = [
        Column(first),
        Column(gettext("差额 g"), "num"),
        Column(gettext("现在 g"), "num"),
        Column(gettext("重算后 g"), "num"),
        Column(gettext("有变"), "num"),
        Column(gettext("记录数"), "num"),
    ]
    return (*columns, Column(gettext("积分差额"), "num")) if points else tuple(columns)


def _row(label: str, counts: Mapping[str, Any], *, points: bool) -> Row:
    cells: list[str | SafeString] = [
        label,
        signed(counts["grams"] - counts["old_grams"]),
        digits(counts["old_grams"]),
        digits(counts["grams"]),
        digits(counts["changed"]),
        digits(counts["records"]),
    ]
    return Row([*cells, signed(counts["points"])] if points else cells)


def _bands(counts: Sequence[int]) -> list[Band]:
    """Return the bands with bars on one scale; the outer ones without persons are left out."""
    most = max(counts, default=0)
    filled = [place for place, count in enumerate(counts) if count]
    if not filled:
        return []
    middle = BANDS.index((0, 0))
    first, last = min(filled[0], middle), max(filled[-1], middle)
    return [
        Band(
            label=_band_label(*BANDS[place]),
            persons=counts[place],
            width=pixel(max(BAR_WIDTH * counts[place] / most, 1.5 if counts[place] else 0)),
            tone="loss" if place < middle else "gain" if place > middle else "same",
        )
        for place in range(first, last + 1)
    ]


def _band_label(low: int | None, high: int | None) -> str:
    if (low, high) == (0, 0):
        return gettext("不变")
    if low is None and high is not None:
        return gettext("少 %(g)s g 及以上") % {"g": digits(-high)}
    if high is None and low is not None:
        return gettext("多 %(g)s g 及以上") % {"g": digits(low)}
    ends = sorted((abs(low or 0), abs(high or 0)))
    words = gettext("少 %(low)s–%(high)s g") if (high or 0) < 0 else gettext("多 %(low)s–%(high)s g")
    return words % {"low": digits(ends[0]), "high": digits(ends[1])}


def _progress(view: RecalculationView) -> dict[str, Any]:
    done, steps = view.steps_done, view.steps
    sentence = gettext("已入账 %(done)s 步，共 %(steps)s 步") % {"done": digits(done), "steps": digits(steps)}
    return {"done": done, "steps": steps, "sentence": sentence, "percent": 100 * done // max(steps, 1)}


def _result(view: RecalculationView) -> dict[str, Any]:
    totals, preview = view.totals, view.preview
    foreseen = (preview["grams"] - preview["old_grams"], preview["points"])
    return {
        "agrees": (totals["grams"], totals["points"]) == foreseen,
        "figures": [
            (gettext("减排量差额 g"), signed(totals["grams"]), ""),
            (gettext("积分差额"), signed(totals["points"]), ""),
            (gettext("调整的账户日"), digits(totals["account_days"]), ""),
            (gettext("待追回的积分"), digits(totals["due_points"]), ""),
        ],
        "finished": at_moment(view.finished_at),
    }
