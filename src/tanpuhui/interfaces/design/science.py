"""How methodologies are written on pages: formulas as mathematics, and class, status and confidence in words."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from markdown_it import MarkdownIt

from tanpuhui.interfaces.design.figures import in_english, plain
from tanpuhui.science.engine import MethodologyVersion, Words, reason_text
from tanpuhui.science.engine.cases import CaseOutcome
from tanpuhui.science.engine.difference import KINDS, Change
from tanpuhui.science.engine.mathml import symbol_mathml, unit_text
from tanpuhui.science.engine.notation import number_text

CHINESE = re.compile("[\u4e00-\u9fff]")


def locale() -> str:
    """Return zh or en, as the engine's texts are asked for."""
    return "en" if in_english() else "zh"


def said(words: Words) -> str:
    """Return a text of a methodology in the page's language."""
    return words.text(locale())


def mathematics(markup: str) -> SafeString:
    """Mark as safe what `engine.mathml` has set; it escapes everything that an author wrote."""
    return mark_safe(markup)  # noqa: S308  escaped where it is set


def symbol(text: str, name: str = "") -> SafeString:
    """Set a symbol as mathematics; the name stands in where there is none."""
    return mathematics(symbol_mathml(text, name)) if text or name else mark_safe("")


def as_written(text: str) -> SafeString | str:
    """Return what a source is called as it stands there; on an English page Chinese is marked as such for readers aloud."""
    if in_english() and CHINESE.search(text):
        return format_html('<span lang="zh-Hans">{}</span>', text)
    return text


def listed(parts: list[str]) -> str:
    """Join words as the language joins them: 甲、乙, or a, b."""
    return (", " if in_english() else "、").join(parts)


def class_text(code: str) -> str:
    """Say in words what kind of methodology it is."""
    return {
        "SCENARIO": gettext("个人场景"),
        "PROJECT": gettext("项目"),
        "POINTS": gettext("只记积分"),
        "EVENT": gettext("大型活动"),
    }.get(code, code)


def status_text(code: str) -> str:
    """Say in words how much of a methodology has a source."""
    return {
        "EXACT": gettext("公式和取值都有出处"),
        "FORM": gettext("公式有出处，部分取值待定"),
        "DESIGN": gettext("公式由本平台提出，待专家委员会确认"),
        "POINTS": gettext("不计减排量，只记积分"),
    }.get(code, code)


def confidence_text(code: str) -> str:
    """Say in words how far a value can be trusted; the code itself stands beside it."""
    return {
        "H": gettext("有文件，可信度高"),
        "M": gettext("有文件，可信度中"),
        "L": gettext("有文件，可信度低"),
        "GK-H": gettext("通行知识，可信度高"),
        "GK-M": gettext("通行知识，可信度中"),
        "GK-L": gettext("通行知识，可信度低"),
        "CALC": gettext("由列出的数算出"),
        "ENG": gettext("工程建议，未经确认"),
        "OP": gettext("由主管方确定"),
        "TEST": gettext("试验数，不代表任何地方"),
    }.get(code, code)


def outcome_texts(outcome: CaseOutcome) -> tuple[str, str]:
    """Say in words what a worked case expects, and what the running engine finds."""
    case, result, version = outcome.case, outcome.result, outcome.version
    if case.blocked:
        expected = _blocked_text(version, case.blocked)
    elif case.reason:
        expected = _refused_text(version, case.reason)
    else:
        expected = _counted_text(case.grams, case.remainder_g)
    if result is None:
        return expected, _blocked_text(version, version.blocked_by)
    if result.reason is not None:
        return expected, _refused_text(version, result.reason)
    return expected, _counted_text(
        result.grams.value if result.grams is not None else None, result.remainder_g
    )


def _counted_text(grams: int | None, remainder_g: Decimal | None) -> str:
    told = plain(Decimal(grams or 0))
    if not remainder_g:
        return gettext("%(grams)s g，没有余数") % {"grams": told}
    return gettext("%(grams)s g，余 %(rest)s g") % {"grams": told, "rest": number_text(remainder_g)}


def _refused_text(version: MethodologyVersion, reason: str) -> str:
    return gettext("不计入：%(why)s") % {"why": reason_text(version, reason, locale=locale())}


def _blocked_text(version: MethodologyVersion, codes: tuple[str, ...]) -> str:
    names = {parameter.code: said(parameter.name) for parameter in version.parameters}
    return gettext("整个版本不能核算，缺少：%(names)s") % {
        "names": listed([names.get(code, code) for code in codes])
    }


@cache
def _markdown() -> MarkdownIt:
    """Plain CommonMark with tables; raw HTML stays text and no picture is fetched, because an author is not trusted."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def prose(text: str) -> SafeString:
    """Write an author's Markdown as HTML, its headings two steps lower, so that they stand below the page's."""
    tokens = _markdown().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    html: str = _markdown().renderer.render(tokens, _markdown().options, {})
    return mark_safe(html)  # noqa: S308  raw HTML is off


def change_rows(changes: list[Change]) -> list[dict[str, str]]:
    """Return the differences of two versions as a page lists them."""
    return [
        {
            "kind": change.kind,
            "kind_text": said(KINDS[change.kind]),
            "name": said(change.name),
            "where": change.where,
            "old": unit_text(said(change.old)) if change.old else "",
            "new": unit_text(said(change.new)) if change.new else "",
            "note": said(change.note),
        }
        for change in changes
    ]
