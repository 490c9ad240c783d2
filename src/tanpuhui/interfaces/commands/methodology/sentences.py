"""What the command says (用语): refusals in both languages, and text of strangers made safe for a screen."""

from __future__ import annotations

import contextlib
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.engine.errors import MethodologyError


class Unusable(Refusal):
    """A folder, an input or an output that the command cannot use; `zh` and `en` say why and what to do."""

    code = "UNUSABLE"
    zh = "{zh}"
    en = "{en}"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an error of the system while a file is read into Unusable."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error).partition("\n")[0] or type(error).__name__
        raise Unusable(zh=f"读不了 {path}：{why}。", en=f"Cannot read {path}: {why}.") from error


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the system while a file is written into Unusable."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unusable(zh=f"写不了 {path}：{why}。", en=f"Cannot write {path}: {why}.") from error


def show_refusal(refusal: Refusal, *, folder: str = "") -> None:
    """Print a refusal: its place and code, the sentence in Chinese and in English, and the caret once."""
    if isinstance(refusal, MethodologyError):
        place = f"{folder}/{refusal.file}" if folder else refusal.file
        lines = [
            f"{printable(place)}:{refusal.line}:{refusal.column}: {refusal.problem}",
            str(refusal.data["zh"]),
            str(refusal.data["en"]),
        ]
        lines += [f"    {line}" for line in refusal.caret.split("\n")] if refusal.caret.strip(" ^\n") else []
    else:
        lines = [refusal.code, refusal.message("zh"), refusal.message("en")]
    first, *rest = lines
    print("\n".join([printable(first), *(f"  {printable(line)}" for line in rest)]), file=sys.stderr)


def printable(text: str) -> str:
    """Take out control and direction characters, so that a file cannot rewrite what stands on the screen."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character
        for character in text
    )
