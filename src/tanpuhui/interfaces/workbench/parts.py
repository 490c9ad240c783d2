"""What the sheets of the desk are made of: sections, ways to other pages, and small forms inside a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from tanpuhui.foundation.kernel.quantities import Fen, Quantity
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A button that leads to another page; kind main, plain or line."""

    label: str
    url: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled table of a sheet; with no rows it says what will stand here, and when."""

    title: str = ""
    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    empty: str = ""
    empty_next: str = ""
    note: str = ""
    way: Way | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where in a long list one is; `last` is None where the end is not counted."""

    number: int
    last: int | None
    count: int | None
    previous: str = ""
    next: str = ""

    @classmethod
    def of(cls, number: int, count: int, *, per_page: int, address: Callable[[int], str]) -> Pages:
        """Return the place of a page in a list of `count` lines."""
        last = max(-(-count // per_page), 1)
        return cls(
            number=number,
            last=last,
            count=count,
            previous=address(min(number - 1, last)) if number > 1 else "",
            next=address(number + 1) if number < last else "",
        )

    @classmethod
    def on(cls, number: int, *, more: bool, address: Callable[[int], str]) -> Pages:
        """Return the place of a page in a list that is not counted."""
        return cls(
            number=number,
            last=None,
            count=None,
            previous=address(number - 1) if number > 1 else "",
            next=address(number + 1) if more else "",
        )


def digits(value: Quantity | int | None) -> str:
    """Write a count or quantity without its unit, which the column's head names; money in yuan."""
    if value is None:
        return ""
    if isinstance(value, Fen):
        return figures.plain(figures.exact(value) / figures.FEN_PER_YUAN, 2)
    return figures.plain(figures.exact(value))


def on_day(value: dt.date | dt.datetime | None) -> SafeString:
    """Write a day of a record."""
    if value is None:
        return mark_safe("")
    return format_html('<span class="num">{}</span>', f"{figures.local_day(value):%Y-%m-%d}")


def at_moment(value: dt.datetime | None) -> SafeString:
    """Write a moment of a record."""
    if value is None:
        return mark_safe("")
    return format_html('<span class="num">{}</span>', figures.moment(value)[:16])


def state_mark(tone_and_words: tuple[str, str]) -> SafeString:
    """Draw a state: shape, colour and word."""
    tone, words = tone_and_words
    return format_html('<span class="state{}">{}</span>', f" state-{tone}" if tone else "", words)


def link(url: str, label: str) -> SafeString:
    """Write a link."""
    return format_html('<a class="tx" href="{}">{}</a>', url, label)


def row_act(request: HttpRequest, url: str, label: str, *, kind: str = "line") -> SafeString:
    """Draw a form of one button, with its own key."""
    context = {"url": url, "label": label, "kind": kind}
    return mark_safe(render_to_string("workbench/parts/row_act.html", context, request=request))  # noqa: S308  rendered with escaping


def side_by_side(*marks: SafeString) -> SafeString:
    """Set forms and links of one cell beside each other."""
    return format_html('<span class="acts">{}</span>', mark_safe("".join(marks)))  # noqa: S308  safe parts only
