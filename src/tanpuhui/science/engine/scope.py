"""The names of a version (名称): what formulas may call a field, parameter, column, group or result."""

from __future__ import annotations

from dataclasses import replace

from tanpuhui.science.engine.checked import Symbol
from tanpuhui.science.engine.errors import Source
from tanpuhui.science.engine.grammar import KEYWORDS, NAME_PATTERN
from tanpuhui.science.engine.model import Words
from tanpuhui.science.engine.reader import Reader, unique


class Scope:
    """Symbols by every name they may be called; a name stands for one thing in the whole version."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Source]] = []
        self.symbols: dict[str, Symbol] = {}

    def named(self, reader: Reader) -> tuple[str, Words]:
        """Read code and name and check that formulas can use both."""
        code, words = reader.code(), reader.words("name")
        for name, place in ((code, reader.place("code")), (words.zh, reader.reader("name").place("zh"))):
            if not NAME_PATTERN.match(name) or name in KEYWORDS:
                place.refuse(
                    "NAME",
                    zh=f"“{name}”不能作名称：只用汉字、字母、数字和下划线，且不能是公式用语。",
                    en=f"'{name}' cannot be a name: Chinese characters, letters, digits and _ only, and no word of the language.",
                )
        return code, words

    def take(self, reader: Reader, code: str, name: str) -> None:
        """Take code and name, or refuse the second to want one."""
        self.taken += [(code, reader.place("code")), (name, reader.place("name"))]
        unique(self.taken)

    def declare(self, reader: Reader, symbol: Symbol, name: str) -> None:
        """Take the symbol's names and let every formula use them."""
        self.take(reader, symbol.code, name)
        self.symbols[symbol.code] = self.symbols[name] = symbol

    def with_presence(self, present: tuple[str, ...], absent: tuple[str, ...] = ()) -> dict[str, Symbol]:
        """Return the symbols where the fields present are known to be there, and those absent are not."""
        return {
            name: replace(symbol, may_be_absent=False) if symbol.code in present else symbol
            for name, symbol in self.symbols.items()
            if symbol.code not in absent
        }
