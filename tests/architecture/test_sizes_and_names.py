"""A listing should tell what a folder does, and a function should fit on a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tanpuhui"
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 500
JUNK_DRAWERS = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc", "base_classes"}
SHADOWED = {"csp", "cel", "rules", "auth", "types", "typst"}
CONTEXT_NAMES = {
    "__init__.py", "README.md", "adapters", "apps.py", "domain", "domain.py", "events.py", "fields.py", "migrations",
    "models", "models.py", "operations", "queries", "queries.py", "sql", "tasks.py", "locale",
}  # fmt: skip
CONTEXTS = sorted(path.parent for path in SOURCE.glob("*/*/migrations"))


def modules() -> tuple[Path, ...]:
    return tuple(path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts)


def too_long(source: str) -> list[str]:
    return [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_is_short_and_well_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES_MAX
    assert too_long(text) == []
    assert path.stem.strip("_") not in JUNK_DRAWERS
    assert path.stem not in SHADOWED


def test_a_long_function_is_noticed() -> None:
    assert too_long("def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX) == ["f: 71 lines"]


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_context_holds_the_house_names_and_no_others(context: Path) -> None:
    found = {path.name for path in context.iterdir() if path.name != "__pycache__"}
    assert found - CONTEXT_NAMES == set()
    assert "README.md" in found


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda path: str(path.relative_to(SOURCE)))
def test_an_operation_folder_lists_its_verbs(context: Path) -> None:
    folder = context / "operations"
    if not folder.is_dir():
        return
    contents = (folder / "__init__.py").read_text(encoding="utf-8")
    assert "__all__" in contents
    assert all(path.name.startswith("_") for path in folder.iterdir())
