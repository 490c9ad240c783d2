"""Only the listed files are copied, from exact versions, and never half of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools import front_end_files
from tools.sentences import SetupRefusal
from tools.working_copy import ROOT

LISTED = json.loads(front_end_files.LIST.read_text(encoding="utf-8"))["files"]
SHEET = {"package": "sheet", "from": "dist/a.min.css", "to": "sheet/a.min.css"}


def package(folder: Path, content: bytes) -> Path:
    (folder / "sheet" / "dist").mkdir(parents=True)
    (folder / "sheet" / "dist" / "a.min.css").write_bytes(content)
    return folder


def test_every_listed_package_is_pinned_to_one_exact_version() -> None:
    pinned = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert {entry["package"] for entry in LISTED} == set(pinned)
    assert all(version[0].isdigit() for version in pinned.values())


def test_the_print_fonts_come_with_two_weights_and_their_licence() -> None:
    fonts = {entry["to"] for entry in LISTED if entry["to"].startswith("fonts/")}
    for family in ("NotoSansSC", "NotoSerifSC"):
        assert len([name for name in fonts if family in name and name.endswith(".ttf")]) == 2
        assert f"fonts/{family}_LICENSE.txt" in fonts


def test_the_line_that_names_a_source_map_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    css = b"a{color:red}/* # sourceMappingURL is spoken of here */b{}\n/*# sourceMappingURL=a.min.css.map */"
    front_end_files._copy(package(tmp_path / "modules", css), tmp_path / "vendor", [SHEET])
    copied = (tmp_path / "vendor" / "sheet" / "a.min.css").read_bytes()
    assert copied == b"a{color:red}/* # sourceMappingURL is spoken of here */b{}\n"


def test_a_file_that_its_package_no_longer_has_is_named_and_the_old_copies_stay(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "kept").touch()
    with pytest.raises(SetupRefusal, match=r"holds no dist/gone\.css"):
        front_end_files._copy(
            package(tmp_path / "modules", b""), tmp_path / "vendor", [{**SHEET, "from": "dist/gone.css"}]
        )
    assert (tmp_path / "vendor" / "kept").exists()


@pytest.mark.parametrize(
    ("version", "enough"), [("v18.20.0", False), ("v20.0.0", True), ("v24.1.0", True), ("", False)]
)
def test_a_node_below_20_is_not_used(tmp_path: Path, version: str, *, enough: bool) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    assert front_end_files.system_node_is_enough({"PATH": f"{tmp_path}"}) is enough


def test_no_node_on_the_path_is_noticed(tmp_path: Path) -> None:
    assert front_end_files.system_node_is_enough({"PATH": str(tmp_path)}) is False
