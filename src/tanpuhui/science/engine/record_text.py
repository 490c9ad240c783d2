"""Records as somebody pastes them (粘贴的记录): CSV with names in the first line, or one JSON object a line; few and small."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.engine.evaluation import Scalar
from tanpuhui.science.engine.model import Field, Group, MethodologyVersion, Words
from tanpuhui.science.engine.record import UnreadableValue, Value, value_of

MAX_TEXT = 128 * 1024
MAX_ROWS = 200


class TrialTooBig(Refusal):
    """A trial is for looking at a few rows; files are for the intake and the command line."""

    code = "TRIAL_TOO_BIG"
    zh = "试算一次最多 {rows} 行、{kilobytes} KB。更大的文件请在本机用 tanpuhui methodology run 计算。"
    en = "A trial takes at most {rows} rows and {kilobytes} KB. Run larger files on your machine with tanpuhui methodology run."


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRow:
    """A row with its number (of the text's lines, from 1) and its values, or why it cannot be read."""

    number: int
    values: Mapping[str, Value]
    fault: Words | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsRead:
    """The rows of a text, and the names in it that are no field of the version."""

    rows: tuple[ReadRow, ...]
    ignored: tuple[str, ...]


def read_rows(version: MethodologyVersion, text: str) -> RowsRead:
    """Read pasted rows; a row that cannot be read stays, with its reason. Raises TrialTooBig.

    A field may be called by its code or its name in either language.
    """
    if len(text) > MAX_TEXT:
        raise TrialTooBig(rows=MAX_ROWS, kilobytes=MAX_TEXT // 1024)
    text = text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")
    found = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)
    if len(found) > MAX_ROWS:
        raise TrialTooBig(rows=MAX_ROWS, kilobytes=MAX_TEXT // 1024)
    reader = _Reader(version)
    rows = tuple(reader.row(number, row) for number, row in found)
    return RowsRead(rows=rows, ignored=tuple(reader.ignored))


def _csv_rows(text: str) -> list[tuple[int, Any]]:
    """Split by the tab of a spreadsheet or by the comma, whichever the first line has."""
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first else ",")
    rows: list[tuple[int, Any]] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        for cells in reader:
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                fitting = len(cells) <= len(names)
                given = dict(zip(names, (cell.strip() for cell in cells), strict=False)) if fitting else None
                rows.append((reader.line_num, given))
            if len(rows) > MAX_ROWS:
                break
    except csv.Error:
        rows.append((reader.line_num, None))
    return rows


def _json_rows(text: str) -> list[tuple[int, Any]]:
    rows: list[tuple[int, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append((number, json.loads(line, parse_float=str, parse_int=str, parse_constant=str)))
            except (ValueError, RecursionError):
                rows.append((number, None))
        if len(rows) > MAX_ROWS:
            break
    return rows


class _Unreadable(Exception):
    def __init__(self, zh: str, en: str) -> None:
        self.words = Words(zh=zh, en=en)
        super().__init__(en)


class _Reader:
    def __init__(self, version: MethodologyVersion) -> None:
        self.fields = _by_every_name(version.fields)
        self.groups = {name: group for group in version.groups for name in _names(group)}
        self.group_fields = {group.code: _by_every_name(group.fields) for group in version.groups}
        self.ignored: dict[str, None] = {}

    def row(self, number: int, given: object) -> ReadRow:
        try:
            return ReadRow(number=number, values=self._values(given))
        except _Unreadable as fault:
            return ReadRow(number=number, values={}, fault=fault.words)

    def _values(self, given: object) -> dict[str, Value]:
        if not isinstance(given, dict):
            raise _Unreadable(
                "这一行看不懂：列数与首行不符，或不是一个 JSON 对象。",
                "This row cannot be read: its columns differ from the first line's, or it is no JSON object.",
            )
        values: dict[str, Value] = {}
        for name, value in given.items():
            if name in self.groups:
                group = self.groups[name]
                values[group.code] = [self._inner(group, row) for row in _listed(name, value)]
            elif name in self.fields:
                values[self.fields[name].code] = _scalar(self.fields[name], value)
            else:
                self.ignored[str(name)[:60]] = None
        return values

    def _inner(self, group: Group, row: object) -> dict[str, Scalar | None]:
        known = self.group_fields[group.code]
        if not isinstance(row, dict):
            raise _Unreadable(
                f"“{group.name.zh}”的每一行应为一个 JSON 对象。",
                f"Each row of '{group.name.en}' is a JSON object.",
            )
        found = {}
        for name, value in row.items():
            if name in known:
                found[known[name].code] = _scalar(known[name], value)
            else:
                self.ignored[f"{group.code}.{name}"[:60]] = None
        return found


def _listed(name: str, value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise _Unreadable(
            f"“{name}”应为列表，请用每行一个 JSON 对象的写法。",
            f"'{name}' is a list; write one JSON object a line.",
        )
    return value


def _scalar(item: Field, value: object) -> Scalar | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Unreadable(f"“{item.name.zh}”应为一个值。", f"'{item.name.en}' is one value.")
    try:
        return value_of(item, value)
    except UnreadableValue:
        zh, en = (
            ("日期，如 2016-01-31", "a date such as 2016-01-31")
            if item.kind == "date"
            else ("一个数", "a number")
        )
        raise _Unreadable(
            f"“{item.name.zh}”应为{zh}，而这里是“{value[:40]}”。",
            f"'{item.name.en}' is {en}, not '{value[:40]}'.",
        ) from None


def _names(item: Field | Group) -> tuple[str, str, str]:
    return item.code, item.name.zh, item.name.en


def _by_every_name(items: Iterable[Field]) -> dict[str, Field]:
    return {name: item for item in items for name in _names(item)}
