"""Loading fields and groups (载入字段与分组)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from tanpuhui.science.engine.checked import RowGroup, Symbol
from tanpuhui.science.engine.digits import MAX_PLACES, Digits, places_of
from tanpuhui.science.engine.model import NO_WORDS, Field, Group, Words
from tanpuhui.science.engine.reader import Reader
from tanpuhui.science.engine.scope import Scope
from tanpuhui.science.engine.units import Unit

MAX_ROWS, MAX_GROUP_FIELDS = 10_000, 20
_ZERO = Decimal(0)


def read_field(reader: Reader, scope: Scope) -> Field:
    """Read a field of the record and let formulas use its names."""
    field, symbol = _field(reader, scope, role="field")
    scope.declare(reader, symbol, field.name.zh)
    return field


def read_group(reader: Reader, scope: Scope) -> Group:
    """Read a group of rows; its fields are known only inside a sum, a count or a series over it."""
    code, name = scope.named(reader)
    fields: list[Field] = []
    inner: dict[str, Symbol] = {}
    readers = list(reader.each("fields"))
    if not 1 <= len(readers) <= MAX_GROUP_FIELDS:
        reader.place("fields").refuse(
            "SCHEMA",
            zh=f"分组要有 1 到 {MAX_GROUP_FIELDS} 个字段。",
            en=f"A group has 1 to {MAX_GROUP_FIELDS} fields.",
        )
    for each in readers:
        field, symbol = _field(each, scope, role="row")
        scope.take(each, field.code, field.name.zh)
        inner[field.code] = inner[field.name.zh] = symbol
        fields.append(field)
    group = Group(
        code=code,
        name=name,
        min_rows=reader.whole("min_rows", limit=MAX_ROWS),
        max_rows=reader.whole("max_rows", limit=MAX_ROWS),
        unique=reader.texts("unique"),
        order=reader.text("order", default=""),
        fields=tuple(fields),
    )
    _check_group(reader, group)
    reader.finish()
    rows = RowGroup(
        code=code, min_rows=group.min_rows, max_rows=group.max_rows, order=group.order, scope=inner
    )
    scope.declare(reader, Symbol(code=code, role="group", kind="rows", rows=rows), name.zh)
    return group


def _check_group(reader: Reader, group: Group) -> None:
    if not group.min_rows <= group.max_rows or group.max_rows == 0:
        reader.place("max_rows").refuse(
            "BOUNDS", zh="min_rows 不能大于 max_rows。", en="min_rows must not exceed max_rows."
        )
    kinds = {field.code: field.kind for field in group.fields}
    for code in group.unique:
        if code not in kinds:
            reader.place("unique").refuse(
                "UNKNOWN_NAME", zh=f"分组没有字段“{code}”。", en=f"The group has no field '{code}'."
            )
    if group.order and kinds.get(group.order) != "date":
        reader.place("order").refuse(
            "SCHEMA", zh="order 应为本组的一个日期字段。", en="order names a date field of the group."
        )


def _field(reader: Reader, scope: Scope, *, role: Any) -> tuple[Field, Symbol]:
    code, name = scope.named(reader)
    kind: Any = reader.choice("kind", ("number", "choice", "date"), default="number")
    number = kind == "number"
    low, high = _bounds(reader, kind)
    options = reader.texts("options")
    privacy: Any = reader.choice("privacy", ("amount", "trace"))
    field = Field(
        code=code,
        name=name,
        symbol=reader.text("symbol", default="", limit=20),
        kind=kind,
        unit=reader.unit("unit", default="") if number else Unit(),
        display_unit=reader.words("display_unit", optional=True),
        low=low,
        high=high,
        places=reader.whole("places", limit=MAX_PLACES) if number else 0,
        options=options,
        nullable=reader.flag("nullable", default="no"),
        privacy=privacy,
        note=reader.words("note", optional=True),
    )
    if field.display_unit == NO_WORDS:
        shown = Words(zh=field.unit.shown("zh"), en=field.unit.shown("en"))
        field = replace(field, display_unit=shown)
    _check_field(reader, field, role)
    reader.finish()
    symbol = Symbol(
        code=code,
        role=role,
        kind=kind,
        unit=field.unit,
        digits=None if kind == "choice" else Digits(low, high, field.places),
        options=options,
        may_be_absent=field.nullable,
    )
    return field, symbol


def _bounds(reader: Reader, kind: str) -> tuple[Decimal, Decimal]:
    if kind == "number":
        return reader.decimal("min"), reader.decimal("max")
    if kind == "choice":
        return _ZERO, _ZERO
    found = []
    for key in ("min", "max"):
        text = reader.text(key)
        try:
            found.append(Decimal(date.fromisoformat(text).toordinal()))
        except ValueError:
            reader.place(key).refuse("SCHEMA", zh="日期写成 2016-01-31。", en="A date is written 2016-01-31.")
    return found[0], found[1]


def _check_field(reader: Reader, field: Field, role: str) -> None:
    if field.low > field.high or max(places_of(field.low), places_of(field.high)) > field.places:
        reader.place("min").refuse(
            "BOUNDS",
            zh="下限不能大于上限，且上下限的小数位不能多于 places。",
            en="min must not exceed max, and neither may have more decimals than places.",
        )
    if (field.kind == "choice") != bool(field.options) or any("'" in option for option in field.options):
        reader.place("options").refuse(
            "SCHEMA",
            zh="选项字段要有 options，别的字段不能有。",
            en="A choice has options, other fields have none.",
        )
    if role == "row" and field.nullable:
        reader.place("nullable").refuse(
            "SCHEMA", zh="分组里的字段不能缺失。", en="A field of a group is never missing."
        )
