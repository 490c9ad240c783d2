"""Steps (步骤) of an explanation, and those that come from tables and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked, Symbol, guards
from tanpuhui.science.engine.evaluation import Known, Row, evaluate, find_branch, rows_of
from tanpuhui.science.engine.interpreter import guard_reason
from tanpuhui.science.engine.model import Column, Evidence, Group, MethodologyVersion
from tanpuhui.science.engine.notation import number_text, value_text, written

# A sum over more rows is shown with its first ones; all of them are in the record.
SHOWN_ROWS_MAX = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: an input, a parameter, a formula or the rounding. `children` are the steps it uses.

    `value` is in `unit`; `formula` in names, `substituted` with the record's numbers, `expanded` (result only)
    with every earlier step written out. `confidence`, `source` and `label` stand as the parameter brought them.
    A look-up is a parameter step of the cell it found; a sum is a `rows` step with a `row` step for each row.
    """

    kind: Literal["input", "parameter", "rows", "row", "formula", "rounding"]
    code: str
    name: str
    symbol: str = ""
    value: Decimal | str
    unit: str
    role: str = ""
    note: str = ""
    source: str = ""
    url: str = ""
    clause: str = ""
    clause_text: str = ""
    confidence: str = ""
    label: str = ""
    origin: str = ""
    formula: str = ""
    substituted: str = ""
    expanded: str = ""
    remainder_g: Decimal | None = None
    children: tuple[Step, ...] = ()

    @property
    def value_text(self) -> str:
        """The value as a page prints it."""
        return self.value if isinstance(self.value, str) else number_text(self.value)

    def walk(self) -> Iterator[Step]:
        """Yield what this step uses before the step itself."""
        for child in self.children:
            yield from child.walk()
        yield self


def clause_of(version: MethodologyVersion, code: str, locale: str) -> tuple[str, str]:
    """Return the document and the text of a clause; the code itself when the version does not list it."""
    for clause in version.clauses:
        if clause.code == code:
            return clause.document, clause.text.text(locale)
    return code, ""


def plain_value(value: object) -> Decimal | str:
    """Return a field's value as a step carries it."""
    return (
        value if isinstance(value, Decimal) else value_text(value) if isinstance(value, date) else str(value)
    )


def _found(checked: Checked, known: Known) -> Decimal | None:
    return evaluate(checked, known) if guard_reason(guards(checked), known) is None else None


@dataclass(frozen=True, slots=True)
class RowExplainer:
    """Explains look-ups and sums of one record, for the formulas that use them."""

    known: Known
    names: Mapping[str, str]
    version: MethodologyVersion
    locale: str

    def resolve(self, checked: Checked) -> Decimal | None:
        """Return what a look-up, a sum or a series comes to in the record; None where it finds nothing.

        That can be only in a branch that was not taken, and there it is written by its names.
        """
        return _found(checked, self.known)

    def written_value(self, symbol: Symbol, known: Known) -> str:
        """Return a symbol's number in the record; the name of what has none there (a table, a group, its fields)."""
        has_none = symbol.role in {"column", "group"} or symbol.code not in known
        return self.names[symbol.code] if has_none else value_text(known[symbol.code])

    def cells(self, checked: Checked, known: Known) -> Iterator[Step]:
        """Yield the cell that a look-up found, both knots where it lies between two."""
        branch = find_branch(checked, known)
        if branch is None or checked.symbol is None:
            return
        column = self.version.column(checked.symbol.code)
        for row in branch.rows:
            yield self._cell(column, row)

    def _cell(self, column: Column, row: int) -> Step:
        table = next(table for table in self.version.tables if column in table.columns)
        evidence: Evidence = column.evidence[row]
        document, text = clause_of(self.version, evidence.clause or table.clause, self.locale)
        return Step(
            kind="parameter",
            code=f"{column.code}[{', '.join(table.rows[row])}]",
            name=f"{column.name.text(self.locale)}（{'、'.join(table.rows[row])}）"
            if self.locale == "zh"
            else f"{column.name.text(self.locale)} ({', '.join(table.rows[row])})",
            symbol=column.symbol,
            value=evidence.value,
            unit=column.unit.shown(self.locale),
            note=table.note.text(self.locale),
            source=evidence.source.text(self.locale),
            url=evidence.url,
            clause=document,
            clause_text=text,
            confidence=evidence.confidence,
            label=evidence.label.text(self.locale),
            origin=table.origin,
        )

    def rows(self, checked: Checked) -> Iterator[Step]:
        """Yield a sum, count or series as a step, with a step for each row; nothing where it finds nothing."""
        total = self.resolve(checked)
        if total is None:
            return
        node = checked.node
        group = self.version.group(checked.symbol.code if checked.symbol else "")
        counted = list(rows_of(checked, self.known) if isinstance(node, tree.Total) else self._all(group))
        shown = counted[:SHOWN_ROWS_MAX]
        value = checked.parts[0] if not isinstance(node, tree.Total) or node.value is not None else None
        left = len(counted) - len(shown)
        more = {"zh": f"，只列前 {len(shown)} 行", "en": f"; the first {len(shown)} are listed"}[self.locale]
        note = {"zh": f"共 {len(counted)} 行", "en": f"{len(counted)} rows"}[self.locale]
        yield Step(
            kind="rows",
            code=f"{group.code}@{node.at}:{number_text(total)}",
            name=written(checked, lambda symbol: self.names[symbol.code], locale=self.locale),
            value=total,
            unit=checked.unit.shown(self.locale),
            note=note + (more if left else ""),
            children=tuple(
                step
                for number, row in enumerate(shown, 1)
                for step in self._row(group, number, row, value, node.at)
            ),
        )

    def _all(self, group: Group) -> tuple[Row, ...]:
        rows: Any = self.known[group.code]
        return tuple(rows)

    def _row(self, group: Group, number: int, row: Row, value: Checked | None, at: int) -> Iterator[Step]:
        here: Known = {**self.known, **row}
        name = f"{group.name.text(self.locale)} {number}"
        inputs = "；".join(
            f"{item.name.text(self.locale)} {value_text(row[item.code])} {item.display_unit.text(self.locale)}".strip()
            for item in group.fields
        )
        if value is None:
            yield Step(kind="row", code=f"{group.code}@{at}.{number}", name=name, value=inputs, unit="")
            return
        cells = [
            cell
            for part in value.walk()
            if isinstance(part.node, tree.Lookup)
            for cell in self.cells(part, here)
        ]

        def naming(symbol: Symbol) -> str:
            return self.written_value(symbol, here)

        yield Step(
            kind="row",
            code=f"{group.code}@{at}.{number}",
            name=name,
            value=evaluate(value, here),
            unit=value.unit.shown(self.locale),
            note=inputs,
            substituted=written(value, naming, locale=self.locale, resolve=lambda part: _found(part, here)),
            children=tuple(cells),
        )
