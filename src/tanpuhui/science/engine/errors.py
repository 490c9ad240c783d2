"""Refusals of the engine (引擎的拒绝), with the place in the file and a caret under it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from tanpuhui.foundation.kernel.errors import Refusal


class MethodologyError(Refusal):
    """A methodology folder, parameter set or formula says something that cannot be accepted.

    `data` carries problem (stable code), file, line, column (both from 1), caret, zh and en.
    """

    code = "METHODOLOGY_INVALID"
    zh = "{file} 第 {line} 行第 {column} 列：{zh}\n{caret}"
    en = "{file}, line {line}, column {column}: {en}\n{caret}"

    def __init__(
        self,
        *,
        problem: str,
        zh: str,
        en: str,
        file: str = "",
        line: int = 1,
        column: int = 1,
        caret: str = "",
    ) -> None:
        super().__init__(
            problem=problem, zh=zh, en=en, file=file or "-", line=line, column=column, caret=caret
        )

    @property
    def problem(self) -> str:
        """The stable code of what is wrong, for example DIMENSION_MISMATCH."""
        return str(self.data["problem"])

    @property
    def file(self) -> str:
        """The path inside the folder."""
        return str(self.data["file"])

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return int(str(self.data["line"]))

    @property
    def column(self) -> int:
        """The column in characters, counted from 1."""
        return int(str(self.data["column"]))

    @property
    def caret(self) -> str:
        """The line of the file and under it a caret at the column."""
        return str(self.data["caret"])


class VersionBlocked(Refusal):
    """No calculation of the version can run, because parameters it needs have no value (OP)."""

    code = "PARAMETER_UNSET"
    zh = "方法学 {methodology} {version} 还不能计算：参数 {names} 没有取值。请由主管方确定取值后，随参数集一并备案。"
    en = (
        "Methodology {methodology} {version} cannot calculate yet: no value for {names}. "
        "Have the operator decide the values and file them as a parameter set."
    )

    def __init__(self, *, methodology: str, version: str, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__(methodology=methodology, version=version, names=", ".join(names))


def display_width(text: str) -> int:
    """Return the columns a terminal gives the text: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a piece of text stands: file, first line and column (from 0), and the whole file's lines."""

    file: str
    line: int
    column: int
    text: str
    lines: tuple[str, ...]

    @classmethod
    def of_text(cls, text: str, *, file: str = "-") -> Source:
        """Return the source of a text that is a file of its own."""
        return cls(file=file, line=0, column=0, text=text, lines=tuple(text.split("\n")))

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column (from 0) of an offset into the text."""
        before = self.text[: max(0, min(offset, len(self.text)))]
        return self.line + before.count("\n"), self.column + len(before) - (before.rfind("\n") + 1)

    def refuse(self, problem: str, *, zh: str, en: str, at: int = 0) -> NoReturn:
        """Raise the MethodologyError that points at the offset."""
        line, column = self.position(at)
        shown = self.lines[line] if line < len(self.lines) else ""
        start = max(0, column - 80)
        caret = f"{shown[start : start + 120]}\n{' ' * display_width(shown[start:column])}^"
        raise MethodologyError(
            problem=problem, zh=zh, en=en, file=self.file, line=line + 1, column=column + 1, caret=caret
        )
