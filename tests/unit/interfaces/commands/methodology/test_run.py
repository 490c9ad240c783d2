"""`run` calculates good rows exactly, names bad ones, and leaves nothing half done."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.interfaces.commands.methodology.command import (
    BIKE,
    BUS,
    DEMONSTRATION,
    GRAMS,
    HEADER,
    REASONS,
    ROWS,
    call,
    csv_file,
    parquet_file,
    run,
    workbook,
)
from tests.unit.science.engine.made_up import MAIN, folder, library
from tests.unit.science.engine.test_wider_language import CALCULATION
from tests.unit.science.engine.test_wider_language import HEAD as FOREST

from tanpuhui.interfaces.commands.methodology.calculation import Calculator, open_engine
from tanpuhui.interfaces.commands.methodology.folders import load
from tanpuhui.interfaces.commands.methodology.inputs import Block
from tanpuhui.science.engine import interpret, load_version
from tanpuhui.science.engine.cases import read_cases

Capture = pytest.CaptureFixture[str]


def results(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_every_row_gets_grams_or_a_reason(tmp_path: Path, capsys: Capture) -> None:
    said = run(capsys, csv_file(tmp_path), tmp_path / "out.parquet", "--keep", "record_id", "--reasons", "zh")
    assert (said.status, said.err) == (0, "")
    found = results(tmp_path / "out.parquet")
    assert {row["row_number"]: row["reason"] for row in found} == REASONS
    assert {row["row_number"]: row["grams"] for row in found if row["grams"] is not None} == GRAMS
    assert [row["record_id"] for row in found] == [row[0] for row in ROWS]
    assert found[0]["remainder_g"] == Decimal("0.52")
    assert found[2]["distance_km"] == "=1+1"
    assert found[2]["reason_text"] == "“里程”里是公式，不是数据。"


def test_the_summary_counts_exactly(tmp_path: Path, capsys: Capture) -> None:
    said = run(
        capsys, csv_file(tmp_path), tmp_path / "out.csv", "--summary", tmp_path / "sum.json", "--lang", "en"
    )
    assert "11 rows: 3 count, 8 do not" in said.out
    assert "Total 1,895 g CO2e; 1.47 g remain" in said.out
    assert "[FORMULA_CELL:distance_km] row 4" in said.out
    assert "not for operation" in said.out
    assert "The cap on activity data is not applied" in said.out
    assert "Exclusions are not judged" in said.out
    saved = json.loads((tmp_path / "sum.json").read_text("utf-8"))
    assert (saved["rows"], saved["calculated"], saved["refused"]) == (11, 3, 8)
    assert (saved["grams"], saved["remainder_g"]) == ("1895", "1.4700")
    assert saved["reasons"]["TOO_FAST"] == {"rows": 1, "first_rows": [9]}


def test_all_formats_in_and_out_give_the_same(tmp_path: Path, capsys: Capture) -> None:
    expected: Any = None
    source = csv_file(tmp_path)
    for kind in ("ndjson", "parquet", "xlsx", "csv"):
        output = tmp_path / f"next.{kind}"
        said = run(capsys, source, output, "--keep", "record_id", "--summary", tmp_path / "s.json", "--force")
        assert said.status == 0, said.err
        saved = json.loads((tmp_path / "s.json").read_text("utf-8"))
        told = {reason: found["rows"] for reason, found in saved["reasons"].items()}
        here = (saved["rows"], saved["grams"], saved["remainder_g"], told)
        expected = expected or here
        assert here == expected
        source = output.rename(tmp_path / f"again.{kind}")


def test_a_formula_of_the_input_does_not_run_in_the_output(tmp_path: Path, capsys: Capture) -> None:
    run(capsys, csv_file(tmp_path), tmp_path / "out.csv")
    assert '"\'=1+1"' in (tmp_path / "out.csv").read_text("utf-8-sig")
    run(capsys, csv_file(tmp_path), tmp_path / "out.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert sheet["B4"].value == "=1+1"
    assert sheet["B4"].data_type == "s"


def test_a_workbook_is_read_as_it_stands(tmp_path: Path, capsys: Capture) -> None:
    rows = [
        ["里程", "时长", "车辆类型", "x"],
        [8.4, 2400, "bike", None],
        [],
        ["=A2*2", 2400, "bike", None],
        ["8.4", "2400", "bike", None],
        [0.30004, 100, "bike", None],
        [True, 2400, "bike", None],
    ]
    said = run(capsys, workbook(tmp_path, rows, sheet="骑行"), tmp_path / "out.parquet", "--sheet", "骑行")
    assert said.status == 0, said.err
    found = {row["row_number"]: (row["grams"], row["reason"]) for row in results(tmp_path / "out.parquet")}
    assert found == {
        2: (800, None),
        4: (None, "FORMULA_CELL:distance_km"),
        5: (800, None),
        6: (None, "TOO_MANY_PLACES:distance_km"),
        7: (None, "NOT_A_NUMBER:distance_km"),
    }


def test_exact_columns_of_parquet_and_doubles_are_taken_digit_by_digit(
    tmp_path: Path, capsys: Capture
) -> None:
    columns = {
        "duration_s": pa.array([2400, 2400, 2400, 2400, 10**12, None], pa.int64()),
        "vehicle_type": pa.array(["bike"] * 6).dictionary_encode(),
    }
    exact = [Decimal("8.4000"), Decimal("8.4001"), Decimal(201), Decimal(-1), Decimal("8.4"), Decimal("8.4")]
    expected = ["", "TOO_MANY_PLACES:distance_km", "OUT_OF_BOUNDS:distance_km", "OUT_OF_BOUNDS:distance_km",
                "OUT_OF_BOUNDS:duration_s", "FIELD_MISSING:duration_s"]  # fmt: skip
    for kind in (pa.decimal128(38, 10), pa.float64()):
        distances = pa.array(exact, pa.decimal128(38, 10)).cast(kind)
        path = parquet_file(tmp_path, {"distance_km": distances, **columns})
        said = run(capsys, path, tmp_path / "out.parquet", "--force")
        assert said.status == 0, said.err
        found = results(tmp_path / "out.parquet")
        assert [row["row_number"] for row in found] == [1, 2, 3, 4, 5, 6]
        assert [row["reason"] or "" for row in found] == expected
        assert found[0]["grams"] == 800


def test_lines_that_cannot_be_read_are_named_and_the_others_kept(tmp_path: Path, capsys: Capture) -> None:
    path = csv_file(tmp_path, rows=[ROWS[0], ("r3", "1"), ('"r4', "1", "900", "bike"), ROWS[9]])
    path.write_bytes(path.read_bytes() + b"r6,\xff,900,bike\n")
    said = run(capsys, path, tmp_path / "out.parquet", "--reasons", "en")
    assert said.status == 0
    found = results(tmp_path / "out.parquet")
    assert [(row["row_number"], row["reason"]) for row in found] == [
        (2, None), (3, "BAD_ROW"), (4, "BAD_ROW"), (5, None), (6, "BAD_ENCODING"),
    ]  # fmt: skip
    assert found[4]["reason_text"] == "The row is not UTF-8."


def test_a_file_without_one_readable_row_is_told_row_by_row(tmp_path: Path, capsys: Capture) -> None:
    path = csv_file(tmp_path, rows=[("r2", "8.4"), ("r3", "8.4", "900", "bike", "x")])
    said = run(capsys, path, tmp_path / "out.parquet", "--lang", "en")
    assert said.status == 0
    assert "2 rows: 0 count, 2 do not" in said.out
    assert [row["reason"] for row in results(tmp_path / "out.parquet")] == ["BAD_ROW", "BAD_ROW"]


def test_a_damaged_parquet_file_is_refused_where_it_breaks(tmp_path: Path, capsys: Capture) -> None:
    path = parquet_file(
        tmp_path, {"distance_km": ["8.4"] * 9, "duration_s": [900] * 9, "vehicle_type": ["bike"] * 9}
    )
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 200 + whole[204:])
    said = run(capsys, path, tmp_path / "out.csv")
    assert (said.status, said.out) == (2, "")
    assert "is damaged from row" in said.err
    assert not (tmp_path / "out.csv").exists()


def test_json_lines_lack_what_they_lack(tmp_path: Path, capsys: Capture) -> None:
    lines = [
        {"duration_s": 2400, "vehicle_type": "bike", "里程": 8.4},
        {"duration_s": 2400, "vehicle_type": "bike"},
        {"duration_s": 2400, "vehicle_type": "bike", "里程": 8400e-3},
        {"duration_s": 2400, "vehicle_type": "bike", "里程": None},
    ]
    path = tmp_path / "rides.ndjson.gz"
    text = "\n".join(
        [*map(json.dumps, lines), "nonsense", '{"里程": 8.4e0, "duration_s": 2400, "vehicle_type": "bike"}']
    )
    path.write_bytes(gzip.compress(text.encode()))
    said = run(capsys, path, tmp_path / "out.parquet")
    assert said.status == 0, said.err
    assert [
        (row["row_number"], row["grams"], row["reason"]) for row in results(tmp_path / "out.parquet")
    ] == [
        (1, 800, None),
        (2, None, "FIELD_MISSING:distance_km"),
        (3, 800, None),
        (4, None, "FIELD_MISSING:distance_km"),
        (5, None, "BAD_ROW"),
        (6, 800, None),
    ]


def test_a_number_in_exponent_form_is_none_in_csv(tmp_path: Path, capsys: Capture) -> None:
    run(capsys, csv_file(tmp_path, rows=[("r2", "1E+1", "2400", "bike")]), tmp_path / "out.parquet")
    assert results(tmp_path / "out.parquet")[0]["reason"] == "NOT_A_NUMBER:distance_km"


def test_rows_of_a_group_and_dates_are_read_from_json_and_parquet(tmp_path: Path, capsys: Capture) -> None:
    formula = "舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * 44[tCO2/tC] / 12, 9, half_up)"
    folder = tmp_path / "forest"
    folder.mkdir()
    (folder / MAIN).write_text(FOREST + CALCULATION.format(formula=formula, unit="tCO2"), "utf-8")
    stratum = {"小班号": "甲", "species": "杨树", "volume": 100.50}
    dates = {"期初": "2020-01-01", "end_date": "2020-01-31"}
    lines: list[dict[str, Any]] = [
        {**dates, "strata": [stratum], "plots": []},
        {**dates, "end_date": "2020-02-30", "strata": [stratum]},
        {**dates, "strata": [{**stratum, "species": "刺槐"}]},
        {**dates, "strata": [{**stratum, "volume": "=1"}]},
        {**dates, "strata": "x"},
        {**dates, "strata": []},
    ]
    path = tmp_path / "forest.ndjson"
    path.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    said = call(capsys, "run", folder, path, "-o", tmp_path / "out.parquet")
    assert said.status == 0, said.err
    found = results(tmp_path / "out.parquet")
    assert [row["reason"] for row in found] == [
        None, "NOT_A_DATE:end_date", "TABLE_VALUE_UNSET:fraction", "FORMULA_CELL:strata.volume", "NOT_ROWS:strata",
        "ROWS_OUT_OF_BOUNDS:strata",
    ]  # fmt: skip
    assert found[0]["grams"] == 69_089_328
    assert call(capsys, "explain", folder, path, "--row", "1").status == 0


CELLS = st.one_of(
    st.decimals(min_value=-5, max_value=210, places=3).map(str),
    st.decimals(min_value=0, max_value=20, places=5).map(str),
    st.sampled_from(
        ["", " 8.4", "+8.4", "08.400", "8.4000", "8.", ".5", "1e3", "x", "=8", "-0", "９", "1,5"]
    ),
    st.text(max_size=6),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            CELLS,
            st.sampled_from(["900", "9", "", "2400.0", "1.5"]),
            st.sampled_from(["bike", "e-bike", "b"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_columns_at_once_and_cells_one_by_one_say_the_same(rows: list[tuple[str, str, str]]) -> None:
    version = load(BIKE, DEMONSTRATION)
    cells = [[cell or None for cell in column] for column in zip(*rows, strict=True)]
    names = ["distance_km", "duration_s", "vehicle_type"]
    numbers = pa.array(range(1, len(rows) + 1), pa.int64())
    columns = {
        "row_number": numbers,
        **{n: pa.array(c, pa.string()) for n, c in zip(names, cells, strict=True)},
    }
    block = Block(rows=pa.table(columns), faults=())
    with open_engine(memory_bytes=200_000_000, spill=Path("spill")) as tables:
        fast = Calculator(version, tables, exponents=False).calculate(block)
        slow = Calculator(version, tables, exponents=False)
        slow._query = None
        assert fast.to_pylist() == slow.calculate(block).to_pylist()
    for row, found in zip(rows, fast.to_pylist(), strict=True):
        if found["reason"] is None:
            values = {
                "distance_km": Decimal(row[0].strip()),
                "duration_s": Decimal(row[1]),
                "vehicle_type": row[2],
            }
            result = interpret(version, values)
            assert result.grams is not None
            assert (found["grams"], found["remainder_g"]) == (result.grams.value, result.remainder_g)


def _cell(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return json.dumps([{code: _cell(inner) for code, inner in row.items()} for row in value])
    return None if value is None else str(value)


@pytest.mark.parametrize("path", library(), ids=lambda path: path.parent.name)
def test_every_worked_case_of_the_library_comes_out_of_a_file(path: Path) -> None:
    files = folder(path)
    by_set = defaultdict(list)
    for case in read_cases(files):
        if not case.blocked:
            by_set[case.parameter_set.code if case.parameter_set else ""].append(case)
    with open_engine(memory_bytes=200_000_000, spill=Path("spill")) as tables:
        for cases in by_set.values():
            version = load_version(files, parameter_set=cases[0].parameter_set)
            codes = [item.code for item in [*version.fields, *version.groups]]
            cells = {
                code: pa.array([_cell(case.inputs.get(code)) for case in cases], pa.string())
                for code in codes
            }
            numbers = pa.array(range(1, len(cases) + 1), pa.int64())
            block = Block(rows=pa.table({"row_number": numbers, **cells}), faults=())
            calculator = Calculator(version, tables, exponents=False)
            found = calculator.calculate(block).to_pylist()
            assert [(row["grams"], row["remainder_g"], row["reason"] or "") for row in found] == [
                (case.grams, case.remainder_g, case.reason) for case in cases
            ]
            calculator._query = None
            assert calculator.calculate(block).to_pylist() == found


@pytest.mark.parametrize(
    ("header", "english"),
    [
        (
            ("里程", "duration_s"),
            "Columns are missing: vehicle_type (or 'Vehicle type'). The file has: 里程, duration_s.",
        ),
        (("里程", "distance_km", "duration_s", "vehicle_type"), "More than one column could be 'Distance'"),
        (("里程", "里程", "duration_s", "vehicle_type"), "A column stands twice: 里程"),
    ],
)
def test_columns_that_cannot_be_found_are_refused_by_name(
    tmp_path: Path, capsys: Capture, header: tuple[str, ...], english: str
) -> None:
    said = run(capsys, csv_file(tmp_path, header=header, rows=[]), tmp_path / "out.csv")
    assert said.status == 2
    assert english in said.err
    assert not (tmp_path / "out.csv").exists()


def test_what_cannot_be_used_is_said_in_both_languages_and_nothing_is_left(
    tmp_path: Path, capsys: Capture
) -> None:
    good = csv_file(tmp_path)
    (tmp_path / "empty.csv").write_text("里程,duration_s,vehicle_type\n", "utf-8")
    (tmp_path / "broken.xlsx").write_bytes(b"PK nothing")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")
    (tmp_path / "broken.csv.gz").write_bytes(gzip.compress(good.read_bytes())[:-9])
    (tmp_path / "gbk.csv").write_bytes("里程,时长\n".encode("gbk"))
    faults = [
        (tmp_path / "nothere.csv", "out.csv", (), "Cannot read", "读不了"),
        (tmp_path / "empty.csv", "out.csv", (), "holds no row", "没有数据行"),
        (tmp_path / "broken.xlsx", "out.csv", (), "no sound .xlsx", "不是完好的"),
        (tmp_path / "broken.parquet", "out.csv", (), "no sound Parquet", "不是完好的"),
        (tmp_path / "broken.csv.gz", "out.csv", (), "damaged or cut off", "损坏"),
        (tmp_path / "gbk.csv", "out.csv", (), "not UTF-8", "UTF-8"),
        (good, "out.doc", (), "tells no format", "看不出"),
        (tmp_path / "rides.doc", "out.csv", (), "tells no format", "看不出"),
        (good, "rides.csv", ("--force",), "is an input", "是输入"),
        (good, "no/out.csv", (), "Cannot write", "不能写"),
        (good, "out.csv", ("--keep", "colour"), "does not have: colour", "不在文件里"),
        (good, "out.csv", ("--sheet", "1"), "for Excel only", "只用于 Excel"),
    ]
    for source, output, more, english, chinese in faults:
        said = run(capsys, source, tmp_path / output, *more)
        assert (said.status, said.out) == (2, ""), (source, output)
        assert english in said.err
        assert chinese in said.err
        assert "Traceback" not in said.err
    assert {path.name for path in tmp_path.iterdir()} == {
        "rides.csv", "empty.csv", "broken.xlsx", "broken.parquet", "broken.csv.gz", "gbk.csv",
    }  # fmt: skip
    assert good.read_text("utf-8").startswith(",".join(HEADER))


def test_an_output_is_overwritten_only_when_asked(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "out.csv").write_text("mine")
    said = run(capsys, csv_file(tmp_path), tmp_path / "out.csv")
    assert said.status == 2
    assert "--force" in said.err
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert run(capsys, csv_file(tmp_path), tmp_path / "out.csv", "--force").status == 0
    assert "grams" in (tmp_path / "out.csv").read_text("utf-8")


def test_a_version_without_its_parameters_says_which_are_missing(tmp_path: Path, capsys: Capture) -> None:
    path = csv_file(tmp_path, header=("distance_km",), rows=[("8.4",)])
    said = call(capsys, "run", BUS, path, "-o", tmp_path / "out.csv")
    assert said.status == 1
    assert "trips_per_day" in said.err
    assert "--parameters" in said.err
    assert not (tmp_path / "out.csv").exists()


def test_the_engine_reaches_no_file(tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "secret.csv").write_text("a\n1\n")
    with open_engine(memory_bytes=200_000_000, spill=tmp_path / "spill") as tables:
        for query in (
            f"select * from read_csv('{tmp_path}/secret.csv')",
            f"copy (select 1) to '{tmp_path}/x'",
        ):
            with pytest.raises(duckdb.PermissionException):
                tables.execute(query)
        with pytest.raises(duckdb.Error):
            tables.execute("set enable_external_access = true")
        assert tables.execute("select current_setting('memory_limit')").fetchone() == ("190.7 MiB",)
