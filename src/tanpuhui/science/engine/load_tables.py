"""Loading look-up tables (载入参数表): rows to the cells of each column, each with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tanpuhui.science.engine.checked import Cell, Grid, Key, Symbol
from tanpuhui.science.engine.digits import MAX_PLACES
from tanpuhui.science.engine.grammar import RULES
from tanpuhui.science.engine.model import Column, Evidence, ParameterSet, Table, TableKey, Words
from tanpuhui.science.engine.parameters import (
    NOT_ACTIVE_IN_VERSION,
    evidence_texts,
    refuse_confidence,
)
from tanpuhui.science.engine.reader import DECIMAL, Reader
from tanpuhui.science.engine.scope import Scope
from tanpuhui.science.engine.units import Unit

MAX_TABLE_ROWS, MAX_COLUMNS, MAX_KEYS = 1_000, 12, 6
Place = tuple[tuple[str, ...], Decimal | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """A column before its rows are read."""

    code: str
    name: Words
    symbol: str
    unit: Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A row: where it stands in the table, what was written there, its cells, and what its evidence says."""

    place: Place
    written: tuple[str, ...]
    cells: Mapping[str, Decimal]
    told: Mapping[str, Any]
    given: bool  # by the parameter set


def read_table(reader: Reader, scope: Scope, *, methodology: str, given: ParameterSet | None) -> Table:
    """Read a table; `given` may fill or override rows. Its columns become names that `lookup` can use."""
    code = reader.code()
    keys, until = _keys(reader)
    heads = _heads(reader, scope)
    common = evidence_texts(reader)
    rows = _rows(reader.each("rows"), keys, heads, common)
    filled = _given_rows(code, keys, heads, methodology, given)
    replaced = {row.place for row in filled}
    rows = [row for row in rows if row.place not in replaced] + filled
    _check_rows(reader, rows)
    table = Table(
        code=code,
        name=reader.words("name"),
        keys=keys,
        columns=tuple(_column(head, keys, rows, until) for head in heads),
        rows=tuple(row.written for row in rows),
        origin="parameter_set" if filled else "version",
        note=reader.words("note", optional=True),
        clause=str(common.get("clause", "")),
    )
    reader.finish()
    for column, inner in zip(table.columns, reader.each("columns"), strict=True):
        symbol = Symbol(
            code=column.code, role="column", unit=column.unit, digits=column.grid.digits, grid=column.grid
        )
        scope.declare(inner, symbol, column.name.zh)
    return table


def _keys(reader: Reader) -> tuple[tuple[TableKey, ...], Decimal | None]:
    found: list[TableKey] = []
    until: Decimal | None = None
    for inner in reader.each("keys"):
        kind: Any = inner.choice("kind", ("choice", "band", "line"))
        line, choice = kind == "line", kind == "choice"
        if kind == "band" and inner.value("until") is not None:
            until = inner.decimal("until")
        rule = inner.choice("rule", tuple(RULES)) if line else "half_up"
        key = Key(
            code=inner.code(),
            kind=kind,
            unit=Unit() if choice else inner.unit("unit", default=""),
            places=inner.whole("places", limit=MAX_PLACES) if line else 0,
            rule=RULES[rule],
        )
        found.append(TableKey(key=key, name=inner.words("name"), within=_within(inner) if choice else {}))
        inner.finish()
    numeric = [number for number, item in enumerate(found) if item.key.kind != "choice"]
    if not 1 <= len(found) <= MAX_KEYS or numeric not in ([], [len(found) - 1]):
        reader.place("keys").refuse(
            "SCHEMA",
            zh=f"参数表要有 1 到 {MAX_KEYS} 个键；band 或 line 至多一个，放在最后。",
            en=f"A table has 1 to {MAX_KEYS} keys; at most one band or line, and it comes last.",
        )
    return tuple(found), until


def _within(reader: Reader) -> dict[str, str]:
    if reader.value("within") is None:
        return {}
    inner = reader.reader("within")
    found = {code: inner.text(code, limit=100) for code in inner.mapping.entries}
    for code, first in found.items():
        seen, parent = {code}, first
        while parent in found and parent not in seen:
            seen.add(parent)
            parent = found[parent]
        if parent in seen:
            inner.place(code).refuse("SCHEMA", zh="回退关系成了一个圈。", en="The fallback runs in a circle.")
    return found


def _heads(reader: Reader, scope: Scope) -> list[_Head]:
    found: list[_Head] = []
    for inner in reader.each("columns"):
        code, name = scope.named(inner)
        symbol = inner.text("symbol", default="", limit=20)
        found.append(_Head(code=code, name=name, symbol=symbol, unit=inner.unit("unit", default="")))
        inner.finish()
    if not 1 <= len(found) <= MAX_COLUMNS:
        reader.place("columns").refuse(
            "SCHEMA",
            zh=f"参数表要有 1 到 {MAX_COLUMNS} 列。",
            en=f"A table has 1 to {MAX_COLUMNS} columns.",
        )
    return found


def _given_rows(
    code: str, keys: Sequence[TableKey], heads: list[_Head], methodology: str, given: ParameterSet | None
) -> list[_Row]:
    if given is None:
        return []
    readers = [Reader.of(value) for value in given.tables.get(methodology, {}).get(code, ())]
    rows = _rows(iter(readers), keys, heads, {}, given=True)
    for reader, row in zip(readers, rows, strict=True):
        refuse_confidence(reader, str(row.told["confidence"]), purpose=given.purpose)
    return rows


def _rows(
    readers: Any,
    keys: Sequence[TableKey],
    heads: list[_Head],
    common: Mapping[str, Any],
    *,
    given: bool = False,
) -> list[_Row]:
    found: list[_Row] = []
    for reader in readers:
        choices = tuple(reader.text(item.key.code, limit=100) for item in keys if item.key.kind == "choice")
        last = keys[-1].key
        bound = reader.decimal(last.code) if last.kind != "choice" else None
        cells = {
            head.code: value for head in heads for value in [_cell(reader, head.code)] if value is not None
        }
        told = {**common, **evidence_texts(reader)}
        if cells and not {"source", "confidence"} <= set(told):
            reader.source.refuse(
                "SCHEMA",
                zh="有取值的行要有 source 和 confidence（写在行里或表头）。",
                en="A row with values needs source and confidence, of its own or of the table.",
            )
        written = tuple(reader.text(item.key.code) for item in keys)
        found.append(_Row(place=(choices, bound), written=written, cells=cells, told=told, given=given))
        reader.finish()
    return found


def _cell(reader: Reader, code: str) -> Decimal | None:
    source = reader.scalar(code, default="")
    if source.text == "":
        return None
    if not DECIMAL.match(source.text):
        source.refuse("SCHEMA", zh="这里应为一个数，例如 0.378。", en="A number stands here, such as 0.378.")
    return Decimal(source.text)


def _check_rows(reader: Reader, rows: list[_Row]) -> None:
    if len(rows) > MAX_TABLE_ROWS:
        reader.place("rows").refuse(
            "SCHEMA",
            zh=f"参数表超过 {MAX_TABLE_ROWS} 行。",
            en=f"A table has at most {MAX_TABLE_ROWS} rows.",
        )
    places = [row.place for row in rows]
    for number, place in enumerate(places):
        if place in places[:number]:
            shown = ", ".join(rows[number].written)
            reader.place("rows").refuse(
                "NAME_TAKEN", zh=f"行“{shown}”重复。", en=f"The row '{shown}' is repeated."
            )


def _column(head: _Head, keys: tuple[TableKey, ...], rows: list[_Row], until: Decimal | None) -> Column:
    evidence: dict[int, Evidence] = {}
    suggestions: dict[int, Evidence] = {}
    for number, row in enumerate(rows):
        if head.code in row.cells:
            found = Evidence(value=row.cells[head.code], unit=head.unit, **row.told)
            active = row.given or found.confidence not in NOT_ACTIVE_IN_VERSION
            (evidence if active else suggestions)[number] = found
    cells = [
        Cell(choices=row.place[0], low=row.place[1], high=None, row=number,
             value=evidence[number].value if number in evidence else None)
        for number, row in enumerate(rows)
    ]  # fmt: skip
    grid = Grid(keys=tuple(item.key for item in keys), cells=_fallen_back(keys, _bounded(cells, keys, until)))
    return Column(
        code=head.code, name=head.name, symbol=head.symbol, unit=head.unit, grid=grid,
        evidence=evidence, suggestions=suggestions,
    )  # fmt: skip


def _bounded(cells: list[Cell], keys: Sequence[TableKey], until: Decimal | None) -> list[Cell]:
    """Give each cell the bound of the next one of the same choices; the last one ends at `until`."""
    if keys[-1].key.kind == "choice":
        return cells
    ordered = sorted(cells, key=lambda cell: (cell.choices, cell.low or Decimal(0)))
    found: list[Cell] = []
    for number, cell in enumerate(ordered):
        following = ordered[number + 1] if number + 1 < len(ordered) else None
        same = following is not None and following.choices == cell.choices
        found.append(replace(cell, high=following.low if same and following else until))
    return found


def _fallen_back(keys: tuple[TableKey, ...], cells: list[Cell]) -> tuple[Cell, ...]:
    """Give entries without a value the cells of the parent they name, key by key.

    Where no parent has a value yet, an entry without a row takes its parent's empty cells: it waits for them.
    """
    for position, item in enumerate(keys):
        for child in item.within:
            others = {_without(cell.choices, position) for cell in cells}
            for other in others:
                own = _with(other, position, child)
                if _valued(cells, own):
                    continue
                above = [_with(other, position, parent) for parent in _parents(item.within, child)]
                listed = {cell.choices for cell in cells}
                with_cells = [place for place in above if place in listed] if own not in listed else []
                theirs = next(
                    (place for place in above if _valued(cells, place)), next(iter(with_cells), None)
                )
                if theirs is not None:
                    taken = [replace(cell, choices=own) for cell in cells if cell.choices == theirs]
                    cells = [cell for cell in cells if cell.choices != own] + taken
    return tuple(cells)


def _parents(within: Mapping[str, str], child: str) -> list[str]:
    """Return the parents of an entry, the nearest first."""
    found: list[str] = []
    parent = within.get(child)
    while parent is not None:
        found.append(parent)
        parent = within.get(parent)
    return found


def _valued(cells: list[Cell], choices: tuple[str, ...]) -> bool:
    return any(cell.choices == choices and cell.value is not None for cell in cells)


def _without(choices: tuple[str, ...], position: int) -> tuple[str, ...]:
    return choices[:position] + choices[position + 1 :]


def _with(others: tuple[str, ...], position: int, choice: str) -> tuple[str, ...]:
    return (*others[:position], choice, *others[position:])
