"""Every shipped methodology gives what its worked cases print, and an independent query agrees."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from tests.unit.science.engine.made_up import LIBRARY, ROOT, folder, library

from tanpuhui.science.engine import MethodologyError, load_parameter_set, load_version
from tanpuhui.science.engine.cases import CASES_FILE, WorkedCase, check_agrees, read_cases, run_cases

TRAVEL = tuple(LIBRARY / name / "1.0" for name in ("a01-bus", "a02-metro", "a03-bike"))
CASES = [(path, case) for path in library() for case in read_cases(folder(path))]


def named(value: object) -> str:
    return value.code if isinstance(value, WorkedCase) else f"{Path(str(value)).parent.name}"


def test_the_library_has_the_three_travel_methodologies() -> None:
    assert {path.parent.name for path in library()} >= {"a01-bus", "a02-metro", "a03-bike"}


@pytest.mark.parametrize("path", library(), ids=named)
def test_every_worked_case_comes_out_as_printed(path: Path) -> None:
    outcomes = run_cases(folder(path))
    assert outcomes
    assert [(o.case.code, o.found) for o in outcomes] == [(o.case.code, o.expected) for o in outcomes]
    assert any(o.case.reason or o.case.blocked for o in outcomes), "no case proves a refusal"


@pytest.mark.parametrize(("path", "case"), [pair for pair in CASES if pair[1].check_sql], ids=named)
def test_the_independent_query_gives_the_expected_result(path: Path, case: WorkedCase) -> None:
    connection = duckdb.connect(config={"threads": 1, "enable_external_access": False})
    answer = connection.execute(case.check_sql)
    names, row = [column[0] for column in answer.description], answer.fetchone()
    assert row is not None
    assert check_agrees(case, dict(zip(names, row, strict=True))), (case.grams, case.remainder_g, row)


@pytest.mark.parametrize(
    ("folder_name", "code", "grams"),
    [("a01-bus", "G07", 436), ("a02-metro", "G08-metro", 864), ("a03-bike", "G08-bike", 223)],
)
def test_the_golden_results_of_the_research_stand_in_the_cases(
    folder_name: str, code: str, grams: int
) -> None:
    cases = {case.code: case for case in read_cases(folder(LIBRARY / folder_name / "1.0"))}
    assert cases[code].grams == grams


def test_a_case_with_a_wrong_result_does_not_pass() -> None:
    files = folder(LIBRARY / "a01-bus/1.0")
    files[CASES_FILE] = files[CASES_FILE].replace(b"grams: 436", b"grams: 437")
    assert [o.case.code for o in run_cases(files) if not o.passed] == ["G07"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT getenv('HOME') AS grams, 0 AS remainder_g",
        "SELECT 1 AS grams; DROP TABLE x",
        "SELECT (SELECT 1) AS grams, 0 AS remainder_g",
        "COPY (SELECT 1) TO 'x'",
        "SELEC 1",
        "SELECT " + "(" * 900 + "1" + ")" * 900,
    ],
)
def test_a_check_query_can_do_nothing_but_compute(query: str) -> None:
    files = folder(LIBRARY / "a01-bus/1.0")
    start = files[CASES_FILE].index(b'    check_sql: "')
    end = files[CASES_FILE].index(b"\n", start)
    files[CASES_FILE] = (
        files[CASES_FILE][:start] + f'    check_sql: "{query}"'.encode() + files[CASES_FILE][end:]
    )
    with pytest.raises(MethodologyError) as refused:
        read_cases(files)
    assert refused.value.problem == "CHECK_SQL"


def test_without_a_parameter_set_no_shipped_travel_methodology_can_run() -> None:
    blocked = {path.parent.name: load_version(folder(path)).blocked_by for path in TRAVEL}
    assert blocked["a01-bus"] == ("trips_per_day",)
    assert blocked["a02-metro"] == ("trips_per_day",)
    assert blocked["a03-bike"] == ("speed_min", "speed_max", "trip_distance_max", "distance_per_day")


def test_the_demonstration_set_lets_all_three_run_and_says_what_it_is() -> None:
    content = (ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml").read_bytes()
    chosen = load_parameter_set(content)
    assert chosen.purpose == "demonstration"
    assert "演示值" in chosen.label.zh
    for name in ("a01-bus", "a02-metro", "a03-bike"):
        version = load_version(folder(LIBRARY / name / "1.0"), parameter_set=chosen)
        assert version.runnable
        assert version.purpose == "demonstration"
    assert set(chosen.values) == {"A01", "A02", "A03"}
    assert {e.confidence for values in chosen.values.values() for e in values.values()} == {"ENG"}


def test_the_shenzhen_test_set_fills_bus_and_metro_and_is_a_test() -> None:
    content = (ROOT / "tests/parameter_sets/shenzhen-test.yaml").read_bytes()
    chosen = load_parameter_set(content)
    assert chosen.purpose == "test"
    for name in ("a01-bus", "a02-metro"):
        version = load_version(folder(LIBRARY / name / "1.0"), parameter_set=chosen)
        assert not [code for variant in version.variants for code in variant.unset]
    metro = load_version(folder(LIBRARY / "a02-metro/1.0"), parameter_set=chosen)
    assert metro.parameter("trip_reduction").value == Decimal("0.5419")
    assert metro.parameter("trip_reduction").origin == "parameter_set"


def test_guangzhou_values_stand_beside_the_empty_parameter_and_do_not_calculate() -> None:
    parameter = load_version(folder(LIBRARY / "a02-metro/1.0")).parameter("trip_reduction")
    assert parameter.state == "OP"
    assert parameter.value is None
    assert [(e.value, e.confidence) for e in parameter.alternatives] == [
        (Decimal("0.5419"), "H"),
        (Decimal("0.5155"), "H"),
    ]


def test_no_shipped_value_is_of_a_confidence_that_must_not_calculate() -> None:
    versions = [load_version(folder(path)) for path in library()]
    active = [p.active for version in versions for p in version.parameters if p.active]
    active += [e for v in versions for t in v.tables for c in t.columns for e in c.evidence.values()]
    assert active
    assert {evidence.confidence for evidence in active} <= {"H", "M", "L", "GK-H", "GK-M", "CALC"}
    travel = [p.active for path in TRAVEL for p in load_version(folder(path)).parameters if p.active]
    assert {evidence.confidence for evidence in travel} <= {"H", "M"}
    assert all("京津冀" in e.label.zh for e in active if e.publication == "DB11/T 3043-2024")
