"""Who plays in the demonstration: read from the jurisdiction's own folder, so that no place stands in the code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Somebody of an organisation who signs in."""

    username: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertPlan:
    """Somebody of the expert pool. The employer is an organisation of the cast (`works_for`) or one outside it."""

    username: str
    title: str
    fields: tuple[str, ...]
    works_for: str
    employer: str
    employer_stem: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A good that a merchant offers."""

    name: str
    name_en: str
    face_value_fen: int
    points: int
    stock: int
    per_person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The scenario that a data partner sends; `share` is its part of all records in per cent."""

    code: str
    name_zh: str
    name_en: str
    scenario_class: str
    share: int
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Troupe:
    """An organisation of the demonstration."""

    key: str
    kind: str
    name: str
    name_en: str
    uscc_stem: tuple[str, str]
    area: str
    players: tuple[Player, ...]
    offers: tuple[Offer, ...]
    feed: Feed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPlan:
    """A project to be registered."""

    code: str
    owner: str
    scenario: str
    area: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """An organisation that has applied to come in, and the one person it authorises."""

    kind: str
    name: str
    name_en: str
    uscc_stem: tuple[str, str]
    area: str
    contract_number: str
    username: str
    person: str
    phone: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody, and the sizes of the story."""

    citizens: int
    days: int
    records: int
    seed: int
    citizens_by_area: dict[str, int]
    troupes: tuple[Troupe, ...]
    projects: tuple[ProjectPlan, ...]
    applicant: Applicant
    experts: tuple[ExpertPlan, ...]
    transfer_tonnes: int
    retirement_tonnes: int
    beneficiary: str
    purpose_text: str

    def troupe(self, key: str) -> Troupe:
        """Return the organisation of a key; a wrong key is a mistake in the file."""
        return next(troupe for troupe in self.troupes if troupe.key == key)

    def of_kind(self, kind: str) -> tuple[Troupe, ...]:
        """Return the organisations of a kind, in the file's order."""
        return tuple(troupe for troupe in self.troupes if troupe.kind == kind)


def read_cast(folder: Path) -> Cast:
    """Read `demonstration/cast.yaml` of a jurisdiction folder (every scalar is text)."""
    told = yaml.load((folder / "demonstration" / "cast.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  the base loader makes text only
    return Cast(
        citizens=int(told["citizens"]),
        days=int(told["days"]),
        records=int(told["records"]),
        seed=int(told["seed"]),
        citizens_by_area={area: int(share) for area, share in told["citizens_by_area"].items()},
        troupes=tuple(_troupe(row) for row in told["organisations"]),
        projects=tuple(ProjectPlan(**row) for row in told["projects"]),
        applicant=_applicant(told["application"]),
        experts=tuple(_expert(row) for row in told["experts"]),
        transfer_tonnes=int(told["transfer"]["quantity_t"]),
        retirement_tonnes=int(told["retirement"]["quantity_t"]),
        beneficiary=told["retirement"]["beneficiary"],
        purpose_text=told["retirement"]["purpose_text"],
    )


def _applicant(row: dict[str, Any]) -> Applicant:
    return Applicant(
        **{
            name: row[name]
            for name in ("kind", "name", "name_en", "area", "contract_number", "username", "person", "phone")
        },
        uscc_stem=(row["uscc_stem"][0], row["uscc_stem"][1]),
        roles=tuple(row["roles"]),
    )


def _expert(row: dict[str, Any]) -> ExpertPlan:
    stem = row.get("employer_stem", ("", ""))
    return ExpertPlan(
        username=row["username"],
        title=row["title"],
        fields=tuple(row["fields"]),
        works_for=row.get("works_for", ""),
        employer=row.get("employer", ""),
        employer_stem=(stem[0], stem[1]),
    )


def _troupe(row: dict[str, Any]) -> Troupe:
    feed = row.get("scenario")
    return Troupe(
        key=row["key"],
        kind=row["kind"],
        name=row["name"],
        name_en=row["name_en"],
        uscc_stem=(row["uscc_stem"][0], row["uscc_stem"][1]),
        area=row["area"],
        players=tuple(Player(**player) for player in row["people"]),
        offers=tuple(
            Offer(
                name=offer["name"],
                name_en=offer["name_en"],
                face_value_fen=int(offer["face_value_fen"]),
                points=int(offer["points"]),
                stock=int(offer["stock"]),
                per_person=int(offer["per_person"]),
            )
            for offer in row.get("goods", ())
        ),
        feed=None
        if feed is None
        else Feed(
            code=feed["code"],
            name_zh=feed["name_zh"],
            name_en=feed["name_en"],
            scenario_class=feed["class"],
            share=int(feed["share"]),
            areas=tuple(feed.get("areas", ())),
        ),
    )
