"""Loading what stands around the formulas (载入上限、取整、互斥、计入、监测和条款)."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tanpuhui.science.engine.digits import MAX_PLACES, places_of
from tanpuhui.science.engine.model import (
    Cap,
    Clause,
    Crediting,
    Exclusion,
    Field,
    Monitored,
    Parameter,
    Rounding,
)
from tanpuhui.science.engine.reader import Reader, unique
from tanpuhui.science.engine.units import Unit, parse_unit

REASON = re.compile(r"[A-Z][A-Z0-9_]{0,59}\Z")
SCOPES = ("account", "household", "vehicle", "device", "project")
PERIODS = ("trip", "day", "week", "month", "year", "lifetime")


def read_cap(top: Reader, parameters: tuple[Parameter, ...], fields: tuple[Field, ...]) -> Cap | None:
    """Read the cap on activity data; None when there is none."""
    if top.value("cap") is None:
        return None
    reader = top.reader("cap")
    scope: Any = reader.choice("scope", SCOPES)
    period: Any = reader.choice("period", PERIODS)
    quantity = reader.choice("quantity", ("count", *(item.code for item in fields if item.kind == "number")))
    name = reader.choice("limit", tuple(parameter.code for parameter in parameters))
    parameter = next(item for item in parameters if item.code == name)
    expected = next((item.unit for item in fields if item.code == quantity), parse_unit("trip"))
    if any(item.code == quantity and item.low > 0 for item in fields):
        reader.place("quantity").refuse(
            "BOUNDS",
            zh="有上限的字段，下限应为 0，因为可能一点也不再计入。",
            en="A capped field has min 0, because nothing more may be granted.",
        )
    limit = _limit(reader, parameter, expected) if quantity != "count" else parameter.value
    if quantity == "count" and parameter.value is not None and places_of(parameter.value):
        reader.place("limit").refuse(
            "SCHEMA", zh="次数上限应为整数。", en="A limit on a count is a whole number."
        )
    cap = Cap(
        scope=scope,
        period=period,
        quantity=quantity,
        parameter=name,
        limit=limit,
        reason=reader.matching("reason", REASON, "DAILY_CAP"),
    )
    reader.finish()
    return cap


def _limit(reader: Reader, parameter: Parameter, unit: Unit) -> Decimal | None:
    """Return the limit in the capped field's unit: ten days of a field in minutes are 14,400."""
    same = parameter.unit.dimension == unit.dimension
    exact = Fraction(parameter.value or 0) * (parameter.unit.factor / unit.factor) if same else Fraction(0)
    shift = next((n for n in range(MAX_PLACES + 1) if (exact * 10**n).denominator == 1), None)
    if not same or shift is None:
        reader.place("limit").refuse(
            "UNIT_MISMATCH",
            zh=f"上限参数的单位应为 {unit}，或能整除换算成它。",
            en=f"The limit's unit must be {unit}, or convert to it exactly.",
        )
    return Decimal(int(exact * 10**shift)).scaleb(-shift) if parameter.value is not None else None


def read_rounding(top: Reader, *, methodology_class: str) -> Rounding:
    """Read the rounding at booking: an event's emission goes up, everything else down."""
    reader = top.reader("rounding")
    reader.choice("unit", ("gCO2e",))
    reader.choice("places", ("0",))
    remainder: Any = reader.choice("remainder", ("stored",))
    rule: Any = reader.choice("rule", ("ceiling",) if methodology_class == "EVENT" else ("floor",))
    rounding = Rounding(rule=rule, remainder=remainder, clause=reader.text("clause", default=""))
    reader.finish()
    return rounding


def read_exclusions(top: Reader) -> tuple[Exclusion, ...]:
    """Read the exclusion groups the version's results belong to."""
    found: list[Exclusion] = []
    for reader in top.each("exclusions"):
        scope: Any = reader.choice("scope", SCOPES)
        period: Any = reader.choice("period", PERIODS)
        keep: Any = reader.choice("keep", ("greatest", "evidence", "first"))
        found.append(
            Exclusion(
                group=reader.code("group"),
                side=reader.text("side", default="", limit=60),
                scope=scope,
                period=period,
                keep=keep,
                clause=reader.text("clause", default=""),
            )
        )
        reader.finish()
    unique([(item.group, top.place("exclusions")) for item in found])
    return tuple(found)


def read_crediting(top: Reader, *, methodology_class: str) -> Crediting | None:
    """Read how a project's periods become tonnes; only a PROJECT has it, and must."""
    if methodology_class != "PROJECT":
        if top.value("crediting") is not None:
            top.place("crediting").refuse(
                "SCHEMA", zh="只有 PROJECT 类有 crediting。", en="Only a PROJECT has crediting."
            )
        return None
    reader = top.reader("crediting")
    reader.choice("unit", ("tCO2e",))
    rule: Any = reader.choice("rule", ("floor",))
    carried = reader.texts("carried")
    if not set(carried) <= {"remainder", "negative"} or "negative" not in carried:
        reader.place("carried").refuse(
            "SCHEMA",
            zh="carried 只能含 remainder 和 negative，其中 negative 必须有。",
            en="carried lists remainder and negative, and negative must be there.",
        )
    crediting = Crediting(
        rule=rule, carried=carried, length=reader.words("length"), clause=reader.text("clause", default="")
    )
    reader.finish()
    return crediting


def read_monitoring(top: Reader) -> tuple[Monitored, ...]:
    """Read what is monitored, how and how often."""
    found: list[Monitored] = []
    for reader in top.each("monitoring"):
        found.append(
            Monitored(
                code=reader.code(),
                name=reader.words("name"),
                method=reader.words("method"),
                frequency=reader.words("frequency"),
                clause=reader.text("clause", default=""),
            )
        )
        reader.finish()
    return tuple(found)


def read_clauses(top: Reader) -> tuple[Clause, ...]:
    """Read the clauses the version refers to."""
    found: list[Clause] = []
    for reader in top.each("clauses"):
        clause = Clause(code=reader.code(), document=reader.text("document"), text=reader.words("text"))
        reader.finish()
        found.append(clause)
    return tuple(found)
