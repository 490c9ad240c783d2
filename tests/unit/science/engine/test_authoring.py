"""What an author brings is read within bounds: a ZIP, pasted rows, a row kept as a worked case, a folder checked as it stands."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from tests.unit.science.engine.made_up import folder, library
from tests.unit.science.engine.test_wider_language import RECORD
from tests.unit.science.engine.test_wider_language import version as wider

from tanpuhui.science.engine import MethodologyError, archive, interpret, load_parameter_set, load_version
from tanpuhui.science.engine.authoring import check_folder
from tanpuhui.science.engine.blank import blank_folder
from tanpuhui.science.engine.case_text import CaseNotKept, with_case
from tanpuhui.science.engine.cases import CASES_FILE, read_cases, run_cases
from tanpuhui.science.engine.record_text import MAX_ROWS, MAX_TEXT, TrialTooBig, read_rows
from tanpuhui.science.engine.unpack import unpack

BUS = next(path for path in library() if path.parent.name == "a01-bus")
VALUES = """schema: tanpuhui-parameter-set/1
code: some-values
purpose: demonstration
label: {zh: 试验, en: Trial}
values:
  A01:
    trips_per_day: {value: 6, unit: trip, confidence: ENG, source: {zh: 试验, en: Trial}}
"""


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as container:
        for path, content in files.items():
            container.writestr(path, content)
    return buffer.getvalue()


def test_a_zip_from_a_laptop_is_unpacked_without_the_folder_around_it() -> None:
    files = folder(BUS)
    around = {f"a01-bus/1.0/{path}": content for path, content in files.items()}
    stray = {"__MACOSX/a01-bus/x": b"", "a01-bus/1.0/.DS_Store": b""}
    assert unpack(zipped({**around, **stray})) == files
    assert unpack(zipped(files)) == files
    assert unpack(archive(files)) == files


@pytest.mark.parametrize(
    "content",
    [
        b"not a zip",
        zipped({"other.yaml": b""}),
        zipped({"methodology.yaml": b"", "../x": b""}),
        zipped({"methodology.yaml": b"x" * 3_000_000}),
        zipped({"methodology.yaml": b"", **{f"f{n}.yaml": b"" for n in range(300)}}),
        zipped({"methodology.yaml": b"x"})[:-30],
    ],
    ids=["no zip", "no main file", "path", "bomb", "too many", "cut off"],
)
def test_a_zip_that_is_none_or_too_much_is_refused(content: bytes) -> None:
    with pytest.raises(MethodologyError):
        unpack(content)


def test_rows_are_read_by_code_or_name_from_commas_tabs_and_json() -> None:
    version = load_version(folder(BUS), parameter_set=load_parameter_set(VALUES.encode()))
    for text in (
        "distance_km,else\n8.4,1\n\n,2\n",
        "里程\telse\n8.4\t1\n\t2\n",
        '{"distance_km": 8.4, "else": 1}\n{"distance_km": null}\n',
        "\N{ZERO WIDTH NO-BREAK SPACE}Distance,else\r\n8.4,1\r\n,2\r\n",
    ):
        read = read_rows(version, text)
        assert [row.values.get("distance_km") for row in read.rows] == [Decimal("8.4"), None]
        assert read.ignored == ("else",)
        assert [row.fault for row in read.rows] == [None, None]


@pytest.mark.parametrize(
    "text",
    [
        "distance_km\nx\n",
        "distance_km\n1e5\n",
        "distance_km\n1,2,3\n",
        '{"distance_km": [1]}\n',
        '{"distance_km": true}\n',
        '{"distance_km": NaN}\n',
        "{" + '"a":[' * 2000 + "\n",
        "{}x\n",
    ],
)
def test_a_row_that_cannot_be_read_keeps_its_number_and_says_why(text: str) -> None:
    version = load_version(folder(BUS), parameter_set=load_parameter_set(VALUES.encode()))
    row = read_rows(version, text).rows[0]
    assert row.fault is not None
    assert row.number == (1 if text.startswith("{") else 2)
    assert row.fault.zh != row.fault.en


def test_a_trial_is_small() -> None:
    version = load_version(folder(BUS))
    with pytest.raises(TrialTooBig):
        read_rows(version, "distance_km\n" + "1\n" * (MAX_ROWS + 1))
    with pytest.raises(TrialTooBig):
        read_rows(version, "x" * (MAX_TEXT + 1))


def test_rows_of_groups_and_dates_come_as_json() -> None:
    version = wider("天数(期初, 期末) * 2[tCO2/day] + 合计(小班, 蓄积) * 1[tCO2/m3]")
    text = (
        '{"start_date": "2020-01-01", "期末": "2020-01-31", "strata": [{"小班号": "甲", "树种": "杨树", '
        '"volume": 10, "x": 1}], "plots": []}'
    )
    read = read_rows(version, text)
    assert read.rows[0].fault is None
    assert read.rows[0].values["end_date"] == date(2020, 1, 31)
    assert interpret(version, read.rows[0].values).reason is None
    assert read.ignored == ("strata.x",)


def test_a_trial_row_becomes_a_worked_case_that_passes_and_leaves_the_rest_as_it_was() -> None:
    files = folder(BUS)
    given = load_parameter_set(VALUES.encode())
    version = load_version(files, parameter_set=given)
    text = files[CASES_FILE].decode()
    for distance in ("3.217", "0"):
        values = {"distance_km": Decimal(distance)}
        text, _ = with_case(text, version=version, values=values, result=interpret(version, values))
    outcomes = run_cases({**files, CASES_FILE: text.encode()})
    assert [one.case.code for one in outcomes][-2:] == ["trial-1", "trial-2"]
    assert all(one.passed for one in outcomes)
    assert [line for line in files[CASES_FILE].decode().splitlines() if line not in text.splitlines()] == []
    assert "待作者确认" in text


@pytest.mark.parametrize(
    "before",
    [None, "", "schema: tanpuhui-cases/1\n", "schema: tanpuhui-cases/1\ncases: []\n", "schema: tanpuhui-cases/1\ncases:\n", "cases:\nschema: tanpuhui-cases/1\n"],
)  # fmt: skip
def test_the_first_case_of_a_folder_is_kept_whatever_the_file_looks_like(before: str | None) -> None:
    version = load_version(folder(BUS), parameter_set=load_parameter_set(VALUES.encode()))
    values = {"distance_km": Decimal("8.4")}
    text, code = with_case(before, version=version, values=values, result=interpret(version, values))
    cases = read_cases({**folder(BUS), CASES_FILE: text.encode()})
    assert [case.code for case in cases] == [code] == ["trial-1"]


def test_a_case_with_rows_and_dates_is_kept_as_well() -> None:
    version = wider("天数(期初, 期末) * 2[tCO2/day] + 合计(小班, 蓄积) * 1[tCO2/m3]")
    text, _ = with_case(None, version=version, values=RECORD, result=interpret(version, RECORD))  # type: ignore[arg-type]
    assert '"measured_on": "2020-01-11"' in text


def test_a_list_on_one_line_is_not_torn_apart() -> None:
    version = load_version(folder(BUS), parameter_set=load_parameter_set(VALUES.encode()))
    values = {"distance_km": Decimal("8.4")}
    with pytest.raises(CaseNotKept):
        with_case(
            "schema: tanpuhui-cases/1\ncases: [{code: a}]\n",
            version=version,
            values=values,
            result=interpret(version, values),
        )


def test_the_blank_methodology_has_no_fault_and_waits_for_its_factor() -> None:
    found = check_folder(blank_folder())
    assert found.sound
    assert found.version is not None
    assert found.version.blocked_by == ("saving_factor",)


def test_a_check_stops_when_its_caller_has_waited_enough_and_says_what_is_left() -> None:
    asked = iter([False, False, True])
    found = check_folder(folder(BUS), enough=lambda: next(asked))
    assert (len(found.outcomes), found.unfinished) == (2, 4)
    assert not found.sound


def test_a_folder_has_only_so_many_parameter_sets_because_it_is_loaded_with_each() -> None:
    sets = "".join(
        f"  - {{code: s{n}, purpose: test, label: {{zh: 集, en: S}}, values: {{}}}}\n" for n in range(21)
    )
    cases = f"schema: tanpuhui-cases/1\nparameter_sets:\n{sets}cases: []\n"
    found = check_folder({**folder(BUS), CASES_FILE: cases.encode()})
    assert [fault.problem for fault in found.faults] == ["SCHEMA"]


def test_each_file_tells_its_first_fault() -> None:
    files = {**folder(BUS), CASES_FILE: b"schema: tanpuhui-cases/1\ncases:\n  - {code: 1}\n"}
    found = check_folder(files, parameter_set=b"schema: other\n")
    assert [fault.file for fault in found.faults] == ["parameter_set.yaml", CASES_FILE]
    assert found.version is not None
    broken = check_folder({**files, "methodology.yaml": b"schema: x\n"})
    assert [fault.file for fault in broken.faults] == ["methodology.yaml"]
    assert broken.version is None
    assert not broken.sound
