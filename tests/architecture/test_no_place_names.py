"""No place of the shipped province stands in the code: another province is a new folder."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
JURISDICTIONS = ROOT / "jurisdictions"
BINARY = {".pyc", ".mo", ".png", ".ico", ".woff2", ".ttf"}
SHORT_NAMES = {"370000": "鲁"}
LATIN_LEVELS = {"province", "city"}


def place_names(folder: Path) -> re.Pattern[str]:
    """Every Chinese name, cities and provinces without their suffix too, and the Latin names of cities and provinces.

    A county's stem alone (市中, 河东, 平原) is an ordinary word, so counties count with their suffix or from three characters.
    """
    chinese, latin = set(), set()
    with (folder / "regions.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            chinese.add(row["name_zh"])
            stem = row["name_zh"][:-1]
            if row["level"] in LATIN_LEVELS:
                latin.add(row["name_en"])
            if row["level"] in LATIN_LEVELS or len(stem) > 2:
                chinese.add(stem)
            chinese |= {SHORT_NAMES[row["code"]]} if row["code"] in SHORT_NAMES else set()
    words = "|".join(sorted(map(re.escape, latin)))
    return re.compile(
        "|".join(sorted(chinese, key=len, reverse=True)) + rf"|(?i:(?<![a-z])(?:{words})(?![a-z]))"
    )


def place_names_in(folder: Path, names: re.Pattern[str]) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in BINARY or "__pycache__" in path.parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for found in names.finditer(line):
                yield f"{path.relative_to(folder)}:{number}: {found.group()}"


@pytest.mark.parametrize("province", sorted(path.parent.name for path in JURISDICTIONS.glob("*/regions.csv")))
def test_no_place_name_of_a_province_stands_in_the_code(province: str) -> None:
    assert list(place_names_in(SOURCE, place_names(JURISDICTIONS / province))) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "<p>欢迎来到青岛</p>"),
        ("rule.py", 'AREA = "历下区"'),
        ("zh.po", 'msgstr "鲁ICP备"'),
        ("settings.yaml", "folder: jurisdictions/shandong"),
        ("words.py", "qingdao_rate = 1"),
        ("counties.txt", "台儿庄"),
        ("old.md", "莱芜"),
    ],
)
def test_a_place_name_is_noticed_whatever_the_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(f"first line\n{text}\n", encoding="utf-8")
    found = list(place_names_in(tmp_path, place_names(JURISDICTIONS / "shandong")))
    assert len(found) == 1
    assert found[0].startswith(f"{name}:2: ")


def test_an_ordinary_word_is_no_place_name(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("城市中心 平原 东明 rejoining\n", encoding="utf-8")
    assert list(place_names_in(tmp_path, place_names(JURISDICTIONS / "shandong"))) == []
