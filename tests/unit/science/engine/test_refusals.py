"""What is wrong in a methodology is refused at its place, with a caret and a sentence in both languages."""

from __future__ import annotations

import contextlib
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.science.engine.made_up import LIBRARY, MAIN, fault, field, folder, made_up

from tanpuhui.science.engine import (
    MethodologyError,
    VersionBlocked,
    interpret,
    load_parameter_set,
    load_version,
    sql,
)
from tanpuhui.science.engine.errors import Source, display_width
from tanpuhui.science.engine.grammar import parse
from tanpuhui.science.engine.units import UnknownUnit, parse_unit

KM = (
    field("d", "里程", unit="pkm")
    + field("n", "人次", unit="trip")
    + field("m", "米", unit="m")
    + field("k", "千米", unit="km")
)
FACTORS = {
    "ef": ("基准因子", "0.104", "kgCO2/pkm"),
    "car": ("小汽车因子", "0.2", "kgCO2/vkm"),
    "op": ("待定", "", "kgCO2/pkm"),
}


@pytest.mark.parametrize(
    ("formula", "unit", "problem", "under"),
    [
        ("里程 * 小汽车因子", "kgCO2e", "DIMENSION_MISMATCH", "里程"),
        ("里程 * 基准因子", "gCO2e", "UNIT_MISMATCH", "里程"),
        ("里程 + 人次", "kgCO2e", "DIMENSION_MISMATCH", "+"),
        ("米 + 千米", "kgCO2e", "UNIT_MISMATCH", "+"),
        ("里程 * 不存在", "kgCO2e", "UNKNOWN_NAME", "不存在"),
        ("里程 / 人次", "kgCO2e", "DIVISION_NOT_ROUNDED", "/"),
        ("里程 * ", "kgCO2e", "SYNTAX", ""),
        ("里程 ; drop table x", "kgCO2e", "SYNTAX", ";"),
        ("foo(里程)", "kgCO2e", "SYNTAX", "("),
        ("里程 > 3[pkm]", "kgCO2e", "WRONG_KIND", "里程"),
        ("里程 * (里程 > 3[pkm])", "kgCO2e", "WRONG_KIND", ">"),
        ("里程 * 3[furlong]", "kgCO2e", "UNKNOWN_UNIT", "3"),
        ("round(里程 / 人次, 3, half_up)", "kgCO2e", "DIVISOR_MAY_BE_ZERO", "人次"),
        ("round(里程, 19, half_up)", "kgCO2e", "PLACES", "round"),
        ("里程*里程*里程*里程*里程*里程*里程*里程", "kgCO2e", "TOO_MANY_DIGITS", "*"),
        ("convert(人次, [km])", "kgCO2e", "DIMENSION_MISMATCH", "convert"),
        ("里程 = '人'", "kgCO2e", "WRONG_KIND", "="),
    ],
)
def test_a_faulty_formula_is_refused_where_it_stands(
    formula: str, unit: str, problem: str, under: str
) -> None:
    error = fault(made_up(fields=KM, formula=formula, unit=unit, parameters=FACTORS))
    assert error.problem == problem
    assert error.file == MAIN
    line, caret = error.caret.split("\n")
    assert formula.replace("'", "''").strip() in line
    column = display_width(line[: error.column - 1])
    assert caret == " " * column + "^"
    at = line[error.column - 1 :]
    if problem == "TOO_MANY_DIGITS":
        assert at.startswith("*")
    else:
        assert at.startswith(under)
    assert error.data["zh"]
    assert error.data["en"]
    assert error.message("zh") != error.message("en")


def test_the_names_known_are_told_when_one_is_unknown() -> None:
    error = fault(made_up(fields=KM, formula="距离 * 基准因子", parameters=FACTORS))
    assert "里程" in error.message("zh")
    assert "distance" not in error.message("zh")


def test_a_nullable_field_needs_a_variant_that_says_it_is_present() -> None:
    fields = field("d", "里程", unit="pkm", nullable="yes")
    error = fault(made_up(fields=fields, formula="里程 * 基准因子", unit="kgCO2e", parameters=FACTORS))
    assert error.problem == "MAY_BE_ABSENT"
    assert load_version(
        made_up(fields=fields, formula="里程 * 基准因子", unit="kgCO2e", parameters=FACTORS, present="d")
    ).runnable


def test_a_version_of_which_nothing_can_run_refuses_as_a_whole_and_names_the_parameter() -> None:
    version = load_version(made_up(fields=KM, formula="里程 * 待定", unit="kgCO2e", parameters=FACTORS))
    assert version.blocked_by == ("op",)
    for act in (lambda: interpret(version, {}), lambda: sql(version), version.require_runnable):
        with pytest.raises(VersionBlocked, match="op"):
            act()


SOURCE = "source: {zh: 试验, en: trial}"
SET = (
    "schema: tanpuhui-parameter-set/1\ncode: s\npurpose: PURPOSE\nlabel: {zh: 试, en: t}\nvalues:\n  X01:\n    op: {value: 0.1, unit: kgCO2/pkm, confidence: CONFIDENCE, "
    + SOURCE
    + "}\n"
)


@pytest.mark.parametrize(
    ("purpose", "confidence", "accepted"),
    [
        ("operation", "H", True),
        ("operation", "GK-M", True),
        ("operation", "ENG", False),
        ("operation", "GK-L", False),
        ("operation", "TEST", False),
        ("demonstration", "ENG", True),
        ("demonstration", "TEST", False),
        ("demonstration", "GK-L", False),
        ("test", "TEST", True),
        ("test", "GK-L", False),
        ("test", "OP", False),
    ],
)
def test_a_purpose_limits_the_confidence_of_values(purpose: str, confidence: str, accepted: bool) -> None:
    content = SET.replace("PURPOSE", purpose).replace("CONFIDENCE", confidence).encode()
    if not accepted:
        with pytest.raises(MethodologyError) as refused:
            load_parameter_set(content)
        assert refused.value.problem == "CONFIDENCE_TOO_LOW"
        return
    files = made_up(fields=KM, formula="里程 * 待定", unit="kgCO2e", parameters=FACTORS)
    version = load_version(files, parameter_set=load_parameter_set(content))
    assert version.runnable
    assert version.purpose == purpose


@pytest.mark.parametrize("confidence", ["GK-L", "OP", "ENG", "TEST"])
def test_a_version_has_no_active_value_of_low_confidence(confidence: str) -> None:
    files = folder(LIBRARY / "a01-bus/1.0")
    path = "factors/transport.yaml"
    files[path] = files[path].replace(b"confidence: M", f"confidence: {confidence}".encode(), 1)
    error = fault(files)
    assert (error.problem, error.file) == ("CONFIDENCE_TOO_LOW", MAIN)


def test_a_parameter_set_cannot_name_a_parameter_the_version_does_not_have_or_change_its_unit() -> None:
    files = made_up(fields=KM, formula="里程 * 待定", unit="kgCO2e", parameters=FACTORS)
    content = SET.replace("PURPOSE", "test").replace("CONFIDENCE", "H")
    assert (
        fault(files, load_parameter_set(content.replace("    op:", "    other:").encode())).problem
        == "UNKNOWN_PARAMETER"
    )
    assert (
        fault(files, load_parameter_set(content.replace("kgCO2/pkm", "kgCO2/vkm").encode())).problem
        == "UNIT_MISMATCH"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: &x [1]\nb: *x\n", "YAML_ANCHOR"),
        (b"a: !!python/object/apply:os.system ['true']\n", "YAML_TAG"),
        (b"a: 1\na: 2\n", "YAML_KEY"),
        (b"[" * 50_000, "FILE_TOO_COMPLEX"),
        (b"- " * 60_000, "FILE_TOO_COMPLEX"),
        (b"- a\n" * 7_000, "FILE_TOO_COMPLEX"),
        (b"a: " + b"x" * 5_000, "TEXT_TOO_LONG"),
        (b"x" * 200_000, "FILE_TOO_BIG"),
        (b"\xff\xfe", "NOT_UTF8"),
        (b"a: 1\x00", "YAML"),
        (b"a: 1\n---\nb: 2\n", "YAML"),
        (b"", "YAML"),
        (b"a: [1\n", "YAML"),
        (b"just text", "SCHEMA"),
        (b"schema: other/1\n", "SCHEMA"),
        (b"? [a]\n: b\n", "YAML_KEY"),
    ],
)
def test_a_hostile_file_is_refused_quickly(content: bytes, problem: str) -> None:
    started = time.perf_counter()
    assert fault({MAIN: content}).problem == problem
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    "formula",
    ["(" * 900 + "d" + ")" * 900, "-" * 500 + "d", "+".join(["d"] * 290), "非 " * 300 + "d > 1", "min(" * 200, "d" * 3_000,
     "1" * 60, "若 " * 250, "d*" * 299 + "d"],
)  # fmt: skip
def test_a_hostile_formula_is_refused_quickly(formula: str) -> None:
    started = time.perf_counter()
    with pytest.raises(MethodologyError):
        parse(Source.of_text(formula))
    assert time.perf_counter() - started < 20


def test_steps_that_double_each_time_do_not_exhaust_the_explanation() -> None:
    steps = "".join(
        f"      - {{code: s{n}, name: {{zh: 步{n}, en: s{n}}}, unit: gCO2e, formula: 'min(s{n - 1}, s{n - 1})'}}\n"
        for n in range(1, 30)
    )
    files = made_up(fields=field("d", "里程"), formula="d * 1[gCO2e]")
    files[MAIN] = (
        files[MAIN]
        .replace(b"code: result", b"code: s0")
        .replace(b"name: {zh: \xe7\xbb\x93\xe6\x9e\x9c", b"name: {zh: s0_")
        + steps.encode()
    )
    version = load_version(files)
    from tanpuhui.science.engine import explain

    started = time.perf_counter()
    explanation = explain(version, {"d": Decimal(5)})
    assert len(explanation.as_json()) < 100_000
    assert len(sql(version)) < 100_000
    assert time.perf_counter() - started < 20


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet=list("里程d0.9[]()+-*/<>=,'若则 ifthenelseroundmin_\n#km"), max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(MethodologyError):  # any other exception fails the test
        assert parse(Source.of_text(text)).depth >= 1


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 5_000), junk=st.binary(max_size=6))
def test_a_damaged_file_loads_or_is_refused(at: int, junk: bytes) -> None:
    files = folder(LIBRARY / "a03-bike/1.0")
    content = files[MAIN]
    files[MAIN] = content[:at] + junk + content[at + 3 :]
    with contextlib.suppress(MethodologyError):  # any other exception fails the test
        assert load_version(files).code


@pytest.mark.parametrize(
    "text", ["km^9999", "km**3", "km/", "/km", "km/h/h", "furlong", "km^5", "a" * 61, "km)", "__import__"]
)
def test_a_unit_outside_the_list_is_no_unit(text: str) -> None:
    with pytest.raises(UnknownUnit):
        parse_unit(text)


def test_units_are_the_same_only_in_dimension_and_size() -> None:
    assert parse_unit("pkm").same_as(parse_unit("person*km"))
    assert parse_unit("kgCO2").same_as(parse_unit("kgCO2e"))
    assert not parse_unit("kgCO2e/pkm").same_as(parse_unit("kgCO2e/vkm"))
    assert not parse_unit("km").same_as(parse_unit("m"))
    assert parse_unit("kgCO2e/(person*km)").shown("zh") == "kg CO2e/(人·km)"
    assert parse_unit("kgCO2/pkm").shown("en") == "kg CO2/(person·km)"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("class: SCENARIO", "class: OTHER", "SCHEMA"),
        ("scenario: bus", "", "SCHEMA"),
        ("places: 3", "places: 30", "SCHEMA"),
        ("max: 300", "max: 3e2", "SCHEMA"),
        ("max: 300", "max: -1", "BOUNDS"),
        ("code: bus_factor", "code: distance_km", "NAME_TAKEN"),
        ("zh: 公交因子", "zh: 里程", "NAME_TAKEN"),
        ("zh: 公交因子", "zh: 若", "NAME"),
        ("zh: 公交因子", "zh: 公交 因子", "NAME"),
        ("unit: kgCO2/pkm", "unit: kgCO2/vkm", "UNIT_MISMATCH"),
        ("state: SET", "state: OP", "SCHEMA"),
        ("factor: jjj_bus", "factor: nobody", "UNKNOWN_FACTOR"),
        ("limit: trips_per_day", "limit: nobody", "SCHEMA"),
        ("present: [distance_km]", "present: [nobody]", "UNKNOWN_NAME"),
        ("rule: 里程 > 0[pkm]", "rule: 里程", "WRONG_KIND"),
        ("beneficiary:", "surprise: 1\nbeneficiary:", "SCHEMA"),
        ("rule: floor", "rule: half_up", "SCHEMA"),
    ],
)
def test_a_schema_fault_is_refused_at_its_line(old: str, new: str, problem: str) -> None:
    files = folder(LIBRARY / "a01-bus/1.0")
    text = files[MAIN].decode()
    assert old in text
    files[MAIN] = text.replace(old, new, 1).encode()
    error = fault(files)
    assert error.problem == problem
    assert 1 <= error.line <= text.count("\n") + 2
