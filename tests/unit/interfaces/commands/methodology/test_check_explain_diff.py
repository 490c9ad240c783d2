"""`check`, `explain` and `diff`: what a verifier reads, in both languages, and how each refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.unit.interfaces.commands.methodology.command import BIKE, BUS, DEMONSTRATION, call, csv_file
from tests.unit.science.engine.made_up import MAIN, folder

from tanpuhui.science.engine import archive

Capture = pytest.CaptureFixture[str]


def bike_with(tmp_path: Path, old: str, new: str, *, file: str = MAIN) -> Path:
    path = tmp_path / "copy"
    shutil.copytree(BIKE, path)
    text = (path / file).read_text("utf-8")
    assert old in text
    (path / file).write_text(text.replace(old, new, 1), "utf-8")
    return path


def test_check_says_that_cases_pass_and_what_is_still_missing(capsys: Capture) -> None:
    said = call(capsys, "check", BIKE, BUS, "--lang", "en")
    assert said.status == 0
    assert "✓ 8 of 8 worked cases pass; 3 have an independent query" in said.out
    assert "Least speed (speed_min): blocks the whole version" in said.out
    assert "E-bike electricity (ebike_electricity): blocks the calculation E-bike" in said.out
    assert "A01 Bus travel, version 1.0" in said.out
    filled = call(capsys, "check", BIKE, "--parameters", DEMONSTRATION)
    assert "✓ 可以计算" in filled.out
    assert "speed_min" not in filled.out


def test_check_reads_the_archive_that_the_platform_lets_people_download(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "a03.zip"
    path.write_bytes(archive(folder(BIKE)))
    assert call(capsys, "check", path).status == 0
    path.write_bytes(path.read_bytes().replace(b"0.0087", b"0.0088"))
    said = call(capsys, "check", path)
    assert said.status == 2
    assert "This is not an archive" in said.err


def test_check_fails_on_a_case_that_comes_out_otherwise(tmp_path: Path, capsys: Capture) -> None:
    said = call(
        capsys, "check", bike_with(tmp_path, "grams: 223", "grams: 224", file="cases.yaml"), "--lang", "en"
    )
    assert said.status == 1
    assert "✗ 7 of 8" in said.out
    assert "expected 224 g" in said.out
    assert "found 223 g" in said.out


def test_check_fails_when_only_the_independent_query_disagrees(tmp_path: Path, capsys: Capture) -> None:
    said = call(capsys, "check", bike_with(tmp_path, "SELECT FLOOR(", "SELECT 1 + FLOOR(", file="cases.yaml"))
    assert said.status == 1
    assert "独立查询得 grams " in said.out


def test_check_fails_without_cases(tmp_path: Path, capsys: Capture) -> None:
    path = bike_with(tmp_path, "schema", "schema")
    (path / "cases.yaml").unlink()
    said = call(capsys, "check", path)
    assert said.status == 1
    assert "没有算例" in said.out


def test_a_fault_is_shown_at_its_place_in_both_languages_and_the_others_are_still_checked(
    tmp_path: Path, capsys: Capture
) -> None:
    path = bike_with(tmp_path, "里程 * 单车因子", "里程 * 不存在")
    said = call(capsys, "check", path, BUS)
    assert said.status == 2
    assert "A01 公交出行" in said.out
    place, chinese, english, line, caret = said.err.rstrip("\n").split("\n")
    assert place.startswith(f"{path}/methodology.yaml:")
    assert place.endswith("UNKNOWN_NAME")
    assert "不存在" in chinese
    assert english.startswith("  ")
    assert "里程 * 不存在" in line
    # Two columns of the terminal for each of 里 and 程.
    assert caret.index("^") == line.index("不存在") + len("里程")


def test_a_hostile_folder_is_refused_before_it_is_read(tmp_path: Path, capsys: Capture) -> None:
    path = bike_with(tmp_path, "schema", "schema")
    (path / "text.zh.md").unlink()
    (path / "text.zh.md").symlink_to("/etc/hostname")
    said = call(capsys, "check", path)
    assert said.status == 2
    assert "is a link" in said.err
    (path / "text.zh.md").unlink()
    (path / "factors" / "big.yaml").write_bytes(b"x" * 600_000)
    assert "FILE_TOO_BIG" in call(capsys, "check", path).err
    assert "holds no methodology.yaml; inside there is: " in call(capsys, "check", BIKE.parent).err


def test_control_characters_of_an_author_do_not_reach_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    said = call(
        capsys, "check", bike_with(tmp_path, "{zh: 骑行, en: Cycling}", '{zh: "骑\\e[2J", en: "a\\u202eb"}')
    )
    assert said.out
    assert "\x1b" not in said.out + said.err


def test_explain_tells_every_step_or_the_reason(tmp_path: Path, capsys: Capture) -> None:
    path = csv_file(tmp_path)
    given = ("--parameters", DEMONSTRATION)
    said = call(capsys, "explain", BIKE, path, "--row", "2", *given)
    assert said.status == 0
    assert "减排量: 0.8736 − 0.07308 = 0.80052 kg CO2e" in said.out
    assert "京津冀取值" in said.out
    as_json = json.loads(call(capsys, "explain", BIKE, path, "--row", "2", *given, "--format", "json").out)
    assert (as_json["grams"], as_json["remainder_g"]) == ("800", "0.5200")
    fast = call(capsys, "explain", BIKE, path, "--row", "9", *given, "--lang", "en")
    assert (fast.status, "average speed is above" in fast.out) == (1, True)
    formula = call(capsys, "explain", BIKE, path, "--row", "4", *given, "--lang", "en")
    assert (formula.status, formula.out) == (
        1,
        "4: 'Distance' holds a formula, not a value. [FORMULA_CELL:distance_km]\n",
    )
    beyond = call(capsys, "explain", BIKE, path, "--row", "99", *given)
    assert (beyond.status, "has no row 99 (read up to row 12)" in beyond.err) == (2, True)
    assert call(capsys, "explain", BIKE, path, "--row", "2").status == 1


def test_the_page_of_an_explanation_runs_nothing_of_the_file(tmp_path: Path, capsys: Capture) -> None:
    attack = "<script>alert(1)</script>"
    copy = bike_with(tmp_path, "{zh: 骑行, en: Cycling}", f"{{zh: {attack}, en: x}}")
    said = call(
        capsys,
        "explain",
        copy,
        csv_file(tmp_path),
        "--row",
        "2",
        "--parameters",
        DEMONSTRATION,
        "--format",
        "html",
    )
    assert said.status == 0
    assert attack not in said.out
    assert "&lt;script&gt;" in said.out
    assert "800 g CO2e" in said.out


def test_diff_says_what_can_change_a_result(tmp_path: Path, capsys: Capture) -> None:
    assert call(capsys, "diff", BIKE, BIKE).status == 0
    copy = bike_with(tmp_path, "max: 200", "max: 250")
    said = call(capsys, "diff", BIKE, copy, "--lang", "en")
    assert said.status == 1
    assert "Can change a result (1)\n  field 'Distance': maximum changed: 200 → 250" in said.out
    found = json.loads(call(capsys, "diff", BIKE, copy, "--format", "json").out)
    assert [(change["where"], change["changes_result"]) for change in found["changes"]] == [
        ("fields/distance_km/high", True)
    ]
    assert call(capsys, "diff", BIKE, tmp_path / "nothere").status == 2


def test_help_is_there_for_every_verb(capsys: Capture) -> None:
    for verb in ("check", "run", "explain", "diff"):
        said = call(capsys, verb, "--help")
        assert said.status == 0
        assert "退出码" in said.out
    assert call(capsys, "paint").status == 2
    assert call(capsys, "run", BIKE, "x.csv", "-o", "y.csv", "--memory", "lots").status == 2
