"""Whatever a page says in Chinese has its English in a catalogue: a missing entry would show Chinese on an English page."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACES = ROOT / "src" / "tanpuhui" / "interfaces"
CALLS = {"gettext": 0, "gettext_lazy": 0, "ngettext": 0, "pgettext": 1, "pgettext_lazy": 1}
_TRANSLATE = re.compile(r'{%\s*translate "([^"]+)"|_\("([^"]+)"\)')
_BLOCK = re.compile(r"{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate", re.DOTALL)
_VALUE = re.compile(r"{{ *(\w+) *}}")


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Give every text that some catalogue translates; they are read from what is shipped, not from what is edited."""
    found: set[str] = set()
    for path in FACES.glob("*/locale/en/LC_MESSAGES/django.mo"):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        for key, words in catalogue._catalog.items():  # type: ignore[attr-defined]
            text = key[0] if isinstance(key, tuple) else key
            if words:
                found.add(text.partition("\x04")[2] or text)
    return found


def in_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            place = CALLS.get(getattr(node.func, "id", ""))
            if place is not None and isinstance(node.args[place], ast.Constant):
                yield str(node.args[place].value)


def in_template(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    for found in _TRANSLATE.finditer(text):
        yield found[1] or found[2]
    for block in _BLOCK.finditer(text):
        yield _VALUE.sub(r"%(\1)s", block[1].partition("{% plural %}")[0])


def said() -> Iterator[tuple[str, str]]:
    for path in sorted(FACES.rglob("*.py")):
        yield from ((str(path.relative_to(FACES)), text) for text in in_code(path))
    for path in sorted(FACES.rglob("*.html")):
        yield from ((str(path.relative_to(FACES)), text) for text in in_template(path))


def test_every_text_of_a_page_is_translated(known: set[str]) -> None:
    texts = list(said())
    assert len(texts) > 2_000, "the search found hardly any text"
    assert [pair for pair in texts if pair[1] not in known] == []
