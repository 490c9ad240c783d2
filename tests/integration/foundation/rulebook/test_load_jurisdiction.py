"""A jurisdiction is a folder: loaded whole, again without change, refused by file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from django.db import connection

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.rulebook import queries
from tanpuhui.foundation.rulebook.models import Parameter, Region
from tanpuhui.foundation.rulebook.operations import JurisdictionInvalid, RuleInForce, load_jurisdiction

ROOT = Path(__file__).resolve().parents[4]
SHANDONG = ROOT / "jurisdictions" / "shandong"
HUANGHAI = ROOT / "tests" / "jurisdictions" / "huanghai"
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HUANGHAI, tmp_path / "huanghai"))


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], Path]:
    def change(name: str, old: str, new: str) -> Path:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return change


COUNTIES_OF_CITY = {
    "3701": "02 03 04 05 12 13 14 15 16 17 24 26",
    "3702": "02 03 11 12 13 14 15 81 83 85",
    "3703": "02 03 04 05 06 21 22 23",
    "3704": "02 03 04 05 06 81",
    "3705": "02 03 05 22 23",
    "3706": "02 11 12 13 14 81 82 83 85 86 87",
    "3707": "02 03 04 05 24 25 81 82 83 84 85 86",
    "3708": "11 12 26 27 28 29 30 31 32 81 83",
    "3709": "02 11 21 23 82 83",
    "3710": "02 03 82 83",
    "3711": "02 03 21 22",
    "3713": "02 11 12 21 22 23 24 25 26 27 28 29",
    "3714": "02 03 22 23 24 25 26 27 28 81 82",
    "3715": "02 03 21 22 24 25 26 81",
    "3716": "02 03 21 22 23 25 81",
    "3717": "02 03 21 22 23 24 25 26 28",
}
"""research/policy.md section 6.5: the last two digits of the counties of each city, by its first four."""


def test_the_areas_of_today_are_exactly_those_of_the_national_table(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG)
    assert [city.code[:4] for city in queries.regions(level="city")] == list(COUNTIES_OF_CITY)
    found = {county.code: county.parent for county in queries.regions(level="county")}
    assert found == {
        f"{city}{county}": f"{city}00"
        for city, counties in COUNTIES_OF_CITY.items()
        for county in counties.split()
    }
    assert len(found) == 136


def test_the_province_has_sixteen_cities_and_136_counties_of_today(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG)
    assert len(queries.regions(level="city")) == 16
    counties = queries.regions(level="county")
    kinds = {kind: sum(county.name_zh.endswith(kind) for county in counties) for kind in "区市县"}
    assert kinds == {"区": 58, "市": 26, "县": 52}
    assert [region.code for region in queries.regions(level="county", parent="371700")][:2] == [
        "371702",
        "371703",
    ]
    assert queries.region("370214").name_zh == "城阳区"


def test_an_abolished_city_is_there_on_an_old_day_and_gone_today(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG)
    assert "371200" in {region.code for region in queries.regions(level="city", at=date(2018, 12, 31))}
    assert "371200" not in {region.code for region in queries.regions(level="city", at=date(2019, 1, 9))}
    assert "370116" not in {region.code for region in queries.regions(level="county", at=date(2018, 12, 31))}


def test_loading_the_same_folder_again_changes_nothing(now: datetime) -> None:
    first = load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG, packs=("base", "demonstration"))
    files = len(list((SHANDONG / "processes").glob("*.yaml")))
    assert (first.regions, first.holidays, first.process_versions) == (156, 39, files)
    assert first.parameters > 20
    again = load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG, packs=("base", "demonstration"))
    assert (again.regions, again.holidays, again.parameters, again.process_versions) == (0, 0, 0, 0)


def test_demonstration_values_come_only_on_request_and_say_what_they_are(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG)
    with pytest.raises(queries.ParameterUnset) as refusal:
        queries.require_parameter(key="points.per_gram", scope="bus", at=now)
    assert "points.per_gram" in refusal.value.message("zh")
    assert "主管部门" in refusal.value.message("zh")
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG, packs=("base", "demonstration"))
    found = queries.require_parameter(key="points.per_gram", scope="bus", at=now)
    assert (found.value, found.confidence, found.basis) == ("1/10", "DEMO", "演示值")
    demonstrated = [value for value in queries.parameters(at=now) if value.pack == "demonstration"]
    assert {value.confidence for value in demonstrated} == {"DEMO"}
    assert all("演示值" in value.note for value in demonstrated)


def test_what_is_not_established_stays_unset(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG)
    unset = {value.key for value in queries.parameters(at=now) if value.value is None}
    assert {"notice.project_working_days", "issuance.tonnes_max", "pilot.offset_cap_percent"} <= unset
    assert queries.parameter(key="notice.stakeholder_working_days", at=now).confidence == "S7"
    assert queries.parameter(key="no.such.rule", at=now).value is None


def test_a_parameter_holds_from_its_first_day_to_the_day_before_its_end(
    now: datetime, edit: Callable[..., Path]
) -> None:
    folder = edit(
        "rules/base.yaml",
        "parameters:\n",
        "parameters:\n"
        "  - {key: test.rate, value: '1', unit: x, basis: b, confidence: DI, valid_to: '2026-07-01'}\n"
        "  - {key: test.rate, value: '2', unit: x, basis: b, confidence: DI, valid_from: '2026-07-01'}\n",
    )
    load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    assert queries.parameter(key="test.rate", at=date(2026, 6, 30)).value == "1"
    assert queries.parameter(key="test.rate", at=date(2026, 7, 1)).value == "2"
    assert list(queries.breaches()) == []
    Parameter.objects.filter(key="test.rate", value="1").update(valid_to=date(2026, 7, 2))
    assert [breach.invariant for breach in queries.breaches()] == ["parameter_has_one_value"]


def test_a_parent_that_is_gone_is_found(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI)
    assert list(queries.breaches()) == []
    Region.objects.filter(level="city").first().delete()  # type: ignore[union-attr]
    assert {breach.invariant for breach in queries.breaches()} == {"region_has_its_parent"}


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (("rules/base.yaml", "valid_from: ", "valid_form: "), 3, "valid_form is not known here"),
        (("rules/base.yaml", "confidence: DEMO", "confidence: CERTAIN"), 6, "no evidence tag"),
        (("processes/issuance.yaml", "target: submitted", "target: nowhere"), 16, "'nowhere' is not one of"),
        (("processes/issuance.yaml", "role: owner", "role: friend"), 16, "'friend' is not one of"),
        (("processes/issuance.yaml", "two_person: prepare", "two_person: dream"), 23, "not an outcome"),
        (("regions.csv", "990100,", "980100,"), 3, "not a six-digit code inside 990000"),
        (("holidays.csv", "off", "maybe"), 2, "off or work"),
        (("jurisdiction.yaml", "packs: [base, demonstration]", "packs: [base"), 18, "expected"),
    ],
)
def test_a_mistake_is_named_by_file_and_line_and_nothing_is_loaded(
    now: datetime, edit: Callable[..., Path], change: tuple[str, str, str], line: int, why: str
) -> None:
    name, old, new = change
    folder = edit(name, old, new)
    with pytest.raises(JurisdictionInvalid) as refusal:
        load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    assert refusal.value.data["file"] == Path(name).name
    assert refusal.value.data["line"] == line
    assert why in str(refusal.value.data["why"])
    assert not Region.objects.exists()


def test_a_value_without_establishment_is_refused(now: datetime, edit: Callable[..., Path]) -> None:
    folder = edit("rules/base.yaml", "confidence: DEMO", "confidence: NOT ESTABLISHED")
    with pytest.raises(JurisdictionInvalid, match="write unset"):
        load_jurisdiction(actor=SYSTEM, at=now, folder=folder)


def test_a_state_without_way_in_is_refused(now: datetime, edit: Callable[..., Path]) -> None:
    folder = edit(
        "processes/issuance.yaml", "states:\n", "states:\n  - {code: void, label_zh: 空, label_en: Void}\n"
    )
    with pytest.raises(JurisdictionInvalid, match="no transition leads to draft"):
        load_jurisdiction(actor=SYSTEM, at=now, folder=folder)


def test_a_value_in_force_is_not_changed_in_place(
    now: datetime, folder: Path, edit: Callable[..., Path]
) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    edit("rules/base.yaml", 'value: "1/10"', 'value: "1/2"')
    with pytest.raises(RuleInForce, match=r"points\.per_gram"):
        load_jurisdiction(actor=SYSTEM, at=now, folder=folder)


def test_a_process_version_is_not_changed_in_place_and_a_new_one_serves_new_cases(
    now: datetime, folder: Path, edit: Callable[..., Path]
) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    old = queries.process_version(process="issuance", at=now)
    edit("processes/issuance.yaml", "deadline_working_days: unset", 'deadline_working_days: "5"')
    with pytest.raises(RuleInForce, match="issuance v1"):
        load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    edit("processes/issuance.yaml", 'version: "1"', 'version: "2"')
    load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
    new = queries.process_version(process="issuance", at=now)
    assert (new.version, new.transitions[0].deadline_working_days) == (2, 5)
    assert queries.process_by_id(old.id) == old


def test_the_issuing_step_needs_another_person_than_the_preparing_one(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=SHANDONG)
    version = queries.process_version(process="issuance", at=now)
    assert version.initial_state == "draft"
    issue = next(found for found in version.transitions if found.outcome == "issue")
    assert (issue.source, issue.target, issue.role, issue.two_person) == (
        "prepared",
        "issued",
        "checker",
        "prepare",
    )
    assert {state.code for state in version.states if state.final} == {"issued", "rejected"}
    with pytest.raises(queries.ProcessUnknown):
        queries.process_version(process="issuance", at=date(2024, 12, 31))


def test_rows_of_a_process_version_only_grow(now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI)
    with pytest.raises(Exception, match="append_only"), connection.cursor() as cursor:
        cursor.execute("update rulebook_transition set role = 'system'")
