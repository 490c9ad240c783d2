"""Reads the consents/ folder of a jurisdiction: files that each hold one version of one wording, from one day on."""

from __future__ import annotations

from pathlib import Path

from tanpuhui.foundation.identity.domain.consent_texts import PLACES, Sections, TextRow, places_in
from tanpuhui.foundation.rulebook.queries import Placed, read_yaml


def read_consent_texts(folder: Path) -> tuple[TextRow, ...]:
    """Read every file of consents/. Raises JurisdictionInvalid."""
    rows: dict[tuple[str, str], TextRow] = {}
    days = set()
    for path in sorted((folder / "consents").glob("*.yaml")):
        top = read_yaml(path)
        given = top.fields(required=("purpose", "version", "valid_from", "zh", "en"))
        purpose = given["purpose"].one_of(tuple(PLACES))
        row = TextRow(
            purpose=purpose,
            version=given["version"].text(),
            valid_from=given["valid_from"].day(),
            zh=_sections(given["zh"], purpose=purpose),
            en=_sections(given["en"], purpose=purpose),
        )
        if (purpose, row.version) in rows or (purpose, row.valid_from) in days:
            raise top.refuse(f"{purpose}: the version {row.version} or the day {row.valid_from} stands twice")
        rows[purpose, row.version] = row
        days.add((purpose, row.valid_from))
    return tuple(rows.values())


def _sections(place: Placed, *, purpose: str) -> Sections:
    found = []
    for item in place.items():
        given = item.fields(required=("heading", "text"))
        heading, text = given["heading"].text(), given["text"].text()
        try:
            unknown = places_in(heading + text) - PLACES[purpose]
        except ValueError as error:
            raise item.refuse(str(error)) from error
        if unknown:
            raise item.refuse(f"nothing fills {sorted(unknown)}; known are {sorted(PLACES[purpose])}")
        found.append((heading, text))
    if not found:
        raise place.refuse("a wording has sections")
    return tuple(found)
