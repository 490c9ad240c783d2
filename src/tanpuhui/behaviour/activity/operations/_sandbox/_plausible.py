"""Plausibility (合理性): the numbers of a sample against the methodology's ranges, wrong units and extremes."""

from __future__ import annotations

from decimal import Decimal

from tanpuhui.behaviour.activity.adapters.tables import quoted
from tanpuhui.behaviour.activity.domain.quality import FieldPlausibility
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._sandbox._rank import ranked
from tanpuhui.science.engine.model import Field

THOUSAND = 1_000
FENCE = 3
"""Tukey's outer fences lie three interquartile ranges outside the quartiles."""


def number_fields(desk: Desk) -> list[tuple[int, Field]]:
    """Return the number fields of the versions on the desk."""
    return [
        (version_id, item)
        for version_id, version in sorted(desk.versions.items())
        for item in version.fields
        if item.kind == "number"
    ]


def plausibility(desk: Desk) -> tuple[FieldPlausibility, ...]:
    """Return one entry for each number field that has values."""
    found = [
        _field(desk, f"inputs_{version_id}", item)
        for version_id, item in number_fields(desk)
        if desk.has(f"inputs_{version_id}")
    ]
    return tuple(one for one in found if one is not None)


def _field(desk: Desk, relation: str, item: Field) -> FieldPlausibility | None:
    smallest, q1, median, q3, largest = (
        ranked(desk, relation, item.code, percent) for percent in (1, 25, 50, 75, 100)
    )
    if median is None:
        return None
    cell = quoted(item.code)
    low, high = _number(item.low, item), _number(item.high, item)
    inside = f"{cell} between {low} and {high}"
    spread = q3 - q1
    fences = (
        f"{inside} and {cell} not between {_number(q1 - FENCE * spread, item)} and "
        f"{_number(q3 + FENCE * spread, item)}"
        if spread
        else "false"
    )
    values, least, outside, thousandfold, extreme = desk.tables.execute(
        f"select count({cell}), min({cell}), count(*) filter (not {inside}), "
        f"count(*) filter ({cell} > {high} and {cell} between {THOUSAND} * {low} and {THOUSAND} * {high}), "
        f"count(*) filter ({fences}) from {relation} where {cell} is not null"
    ).fetchone()
    return FieldPlausibility(
        field=item.code,
        unit=item.display_unit.zh,
        low=f"{item.low:f}",
        high=f"{item.high:f}",
        values=values,
        smallest=f"{min(least, smallest):f}",
        median=f"{median:f}",
        largest=f"{largest:f}",
        outside=outside,
        thousandfold=thousandfold,
        extreme=extreme,
    )


def _number(value: Decimal, item: Field) -> str:
    """Return a bound as an exact decimal constant."""
    return f"'{value:f}'::decimal(38, {item.places})"
