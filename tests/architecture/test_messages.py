"""Whatever the code tells people stands in the messages folder of every jurisdiction, shipped or invented."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from tanpuhui.foundation.messages.adapters.template_files import read_templates

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
FOLDERS = sorted(
    path.parent
    for place in ("jurisdictions", "tests/jurisdictions")
    for path in (ROOT / place).glob("*/jurisdiction.yaml")
)


def keys_told_in(path: Path) -> Iterator[str]:
    """Yield the keys that the calls of `tell` in a module name: a text, or a member of an enumeration of the module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Call)
            or getattr(node.func, "id", getattr(node.func, "attr", "")) != "tell"
        ):
            continue
        for keyword in node.keywords:
            if keyword.arg == "template" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)


def enumerated(path: Path) -> Iterator[str]:
    """Yield the members of every enumeration that a module with calls of `tell` makes for its wordings (`…News`)."""
    text = path.read_text(encoding="utf-8")
    if "tell(" not in text or "News(StrEnum)" not in text:
        return
    module = importlib.import_module(".".join(path.relative_to(SOURCE).with_suffix("").parts))
    for name, value in vars(module).items():
        if name.endswith("News") and isinstance(value, type) and issubclass(value, StrEnum):
            yield from (member.value for member in value)


def keys_told() -> set[str]:
    return {
        key
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
        for found in (keys_told_in, enumerated)
        for key in found(path)
    }


def test_there_are_wordings_to_look_for() -> None:
    assert {"case.waiting", "case.moved", "case.due_soon", "case.overdue"} <= keys_told()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_jurisdiction_has_every_wording_that_is_used_and_no_other(folder: Path) -> None:
    assert {row.key for row in read_templates(folder)} == keys_told()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_jurisdictions_fill_their_wordings_with_the_same_fields(folder: Path) -> None:
    fields = {row.key: set(row.fields) for row in read_templates(FOLDERS[0])}
    assert {row.key: set(row.fields) for row in read_templates(folder)} == fields


def test_a_call_with_a_key_in_it_is_noticed(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('tell(template="thing.lost", data={})\nother(template="not.this")\n', encoding="utf-8")
    assert list(keys_told_in(module)) == ["thing.lost"]
