"""Reads a folder of `jurisdictions/`: names, regions, holidays, processes, rule packs. Nothing of it is in the code."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tanpuhui.foundation.kernel.actors import area_covers
from tanpuhui.foundation.rulebook.adapters.placed_yaml import Placed, read_yaml
from tanpuhui.foundation.rulebook.domain import (
    LEVELS,
    Jurisdiction,
    JurisdictionInvalid,
    SubCentre,
    UnitName,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    """One line of regions.csv."""

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str
    valid_from: date | None
    valid_to: date | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayRow:
    """One line of holidays.csv: a day that differs from its weekday."""

    day: date
    works: bool
    name_zh: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """One rule of a pack; `value` None is unset."""

    key: str
    scope: str
    value: str | None
    unit: str
    basis: str
    confidence: str
    note: str
    valid_from: date
    valid_to: date | None


def read_jurisdiction(folder: Path) -> Jurisdiction:
    """Read jurisdiction.yaml; it is read again when the file has changed. Raises JurisdictionInvalid."""
    path = folder / "jurisdiction.yaml"
    if not path.is_file():
        raise JurisdictionInvalid(file=f"{folder.name}/jurisdiction.yaml", line=1, why="the file is missing")
    return _read_jurisdiction(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _read_jurisdiction(path: Path, mtime_ns: int) -> Jurisdiction:  # noqa: ARG001  a changed file is read anew
    top = read_yaml(path).fields(
        required=("code", "area", "name", "scheme", "unit", "serial_prefix", "sub_centres", "packs")
    )
    name = top["name"].fields(required=("zh", "en"))
    scheme = top["scheme"].fields(required=("zh", "en"))
    unit = top["unit"].fields(required=("names", "code", "code_note"))
    prefix = top["serial_prefix"].fields(required=("value", "note"))
    names = tuple(_unit_name(item) for item in unit["names"].items())
    if not names or list(names) != sorted(names, key=lambda item: item.valid_from):
        raise unit["names"].refuse("at least one name is needed, the oldest first")
    return Jurisdiction(
        code=top["code"].text(),
        area=_area(top["area"]),
        name_zh=name["zh"].text(),
        name_en=name["en"].text(),
        scheme_zh=scheme["zh"].text(),
        scheme_en=scheme["en"].text(),
        unit_names=names,
        unit_code=unit["code"].text_or_unset(),
        unit_code_note=unit["code_note"].text(),
        serial_prefix=prefix["value"].text(),
        serial_prefix_note=prefix["note"].text(),
        sub_centres=tuple(_sub_centre(item) for item in top["sub_centres"].items()),
        packs=tuple(item.text() for item in top["packs"].items()),
    )


def _unit_name(item: Placed) -> UnitName:
    fields = item.fields(required=("zh", "en", "valid_from", "basis", "confidence"))
    return UnitName(
        zh=fields["zh"].text(),
        en=fields["en"].text(),
        valid_from=fields["valid_from"].day(),
        basis=fields["basis"].text(),
        confidence=fields["confidence"].evidence_tag(),
    )


def _sub_centre(item: Placed) -> SubCentre:
    fields = item.fields(required=("code", "seat", "name_zh", "name_en", "areas"))
    return SubCentre(
        code=fields["code"].text(),
        seat=_area(fields["seat"]),
        name_zh=fields["name_zh"].text(),
        name_en=fields["name_en"].text(),
        areas=tuple(_area(area) for area in fields["areas"].items()),
    )


def read_regions(folder: Path, *, area: str) -> tuple[RegionRow, ...]:
    """Read regions.csv; every parent is listed and covers its child. Raises JurisdictionInvalid."""
    rows: list[RegionRow] = []
    places: list[int] = []
    for line, cells in _csv_lines(
        folder / "regions.csv",
        ("code", "name_zh", "name_en", "level", "parent", "valid_from", "valid_to", "note"),
    ):
        row = RegionRow(
            code=cells["code"],
            name_zh=cells["name_zh"],
            name_en=cells["name_en"],
            level=cells["level"],
            parent=cells["parent"],
            valid_from=_csv_day(cells["valid_from"], line),
            valid_to=_csv_day(cells["valid_to"], line),
            note=cells["note"],
        )
        _check_region(row, area=area, line=line)
        rows.append(row)
        places.append(line)
    codes = {row.code for row in rows}
    for row, line in zip(rows, places, strict=True):
        if row.parent and row.parent not in codes:
            raise JurisdictionInvalid(
                file="regions.csv", line=line, why=f"the parent {row.parent} is not listed"
            )
    keys = [(row.code, row.valid_from) for row in rows]
    twice = next((place for key, place in zip(keys, places, strict=True) if keys.count(key) > 1), None)
    if twice is not None:
        raise JurisdictionInvalid(file="regions.csv", line=twice, why="this code and date stand twice")
    return tuple(rows)


def _check_region(row: RegionRow, *, area: str, line: int) -> None:
    why = ""
    if (
        len(row.code) != 6
        or not (row.code.isascii() and row.code.isdigit())
        or not area_covers(area, row.code)
    ):
        why = f"{row.code!r} is not a six-digit code inside {area}"
    elif row.level not in LEVELS:
        why = f"{row.level!r} is not one of {', '.join(LEVELS)}"
    elif not row.name_zh or not row.name_en:
        why = "both names are needed"
    elif (row.code == area) != (row.parent == "") or (row.parent and not area_covers(row.parent, row.code)):
        why = f"the parent {row.parent!r} does not cover {row.code}"
    if why:
        raise JurisdictionInvalid(file="regions.csv", line=line, why=why)


def read_holidays(folder: Path) -> tuple[HolidayRow, ...]:
    """Read holidays.csv: `off` for a working day that is free, `work` for a weekend day that is worked."""
    rows: dict[date, HolidayRow] = {}
    for line, cells in _csv_lines(folder / "holidays.csv", ("day", "kind", "name_zh", "basis")):
        day = _csv_day(cells["day"], line, file="holidays.csv")
        if day is None or cells["kind"] not in {"off", "work"} or day in rows or not cells["basis"]:
            raise JurisdictionInvalid(
                file="holidays.csv", line=line, why="a day stands once, with off or work and its basis"
            )
        rows[day] = HolidayRow(
            day=day, works=cells["kind"] == "work", name_zh=cells["name_zh"], basis=cells["basis"]
        )
    return tuple(rows.values())


def read_pack(folder: Path, pack: str) -> tuple[ParameterRow, ...]:
    """Read rules/<pack>.yaml: a list of dated parameters. Raises JurisdictionInvalid."""
    top = read_yaml(folder / "rules" / f"{pack}.yaml").fields(
        required=("pack", "about", "valid_from", "parameters")
    )
    if top["pack"].text() != pack:
        raise top["pack"].refuse(f"the file is {pack}.yaml")
    begins = top["valid_from"].day()
    rows: list[ParameterRow] = []
    for item in top["parameters"].items():
        row = _parameter(item, begins=begins)
        if any(_overlap(row, other) for other in rows):
            raise item.refuse(f"{row.key} [{row.scope}] has two values for the same days")
        rows.append(row)
    return tuple(rows)


def _parameter(item: Placed, *, begins: date) -> ParameterRow:
    fields = item.fields(
        required=("key", "value", "unit", "basis", "confidence"),
        optional=("scope", "note", "valid_from", "valid_to"),
    )
    row = ParameterRow(
        key=fields["key"].text(),
        scope=fields["scope"].text() if "scope" in fields else "",
        value=fields["value"].text_or_unset(),
        unit=fields["unit"].text(),
        basis=fields["basis"].text(),
        confidence=fields["confidence"].evidence_tag(),
        note=fields["note"].text() if "note" in fields else "",
        valid_from=fields["valid_from"].day() if "valid_from" in fields else begins,
        valid_to=fields["valid_to"].day() if "valid_to" in fields else None,
    )
    if row.value is not None and row.confidence == "NOT ESTABLISHED":
        raise fields["confidence"].refuse("what is not established has no value: write unset")
    if row.valid_to is not None and row.valid_to <= row.valid_from:
        raise fields["valid_to"].refuse("the end is after the beginning")
    return row


def _overlap(one: ParameterRow, other: ParameterRow) -> bool:
    if (one.key, one.scope) != (other.key, other.scope):
        return False
    end, other_end = one.valid_to or date.max, other.valid_to or date.max
    return one.valid_from < other_end and other.valid_from < end


def _area(item: Placed) -> str:
    text = item.text()
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        raise item.refuse(f"{text!r} is not a six-digit area code")
    return text


def _csv_lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            if tuple(reader.fieldnames or ()) != columns:
                raise JurisdictionInvalid(file=path.name, line=1, why="the columns are " + ",".join(columns))
            for cells in reader:
                if None in cells or None in cells.values():
                    raise JurisdictionInvalid(
                        file=path.name, line=reader.line_num, why="too many or too few cells"
                    )
                yield reader.line_num, {name: str(cells[name]).strip() for name in columns}
    except FileNotFoundError as error:
        raise JurisdictionInvalid(file=path.name, line=1, why="the file is missing") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise JurisdictionInvalid(file=path.name, line=1, why=str(error)) from error


def _csv_day(text: str, line: int, *, file: str = "regions.csv") -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise JurisdictionInvalid(
            file=file, line=line, why=f"{text!r} is not a day such as 2025-01-31"
        ) from error
