"""Reading typed values out of marked YAML (按模式读取): every refusal points at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from tanpuhui.science.engine.bounded_yaml import Mapping, Scalar, Sequence, Value
from tanpuhui.science.engine.errors import Source
from tanpuhui.science.engine.model import NO_WORDS, Words
from tanpuhui.science.engine.units import Unit, UnknownUnit, parse_unit

DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,18})?\Z")
CODE = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z")
T = TypeVar("T")


@dataclass(kw_only=True, slots=True)
class Reader:
    """Reads the entries of one mapping by name; `finish` refuses the ones nobody asked for."""

    mapping: Mapping
    asked: set[str]

    @classmethod
    def of(cls, value: Value) -> Reader:
        """Return a reader of a mapping, or refuse what is none."""
        if not isinstance(value, Mapping):
            value.source.refuse(
                "SCHEMA", zh="这里应为“键: 值”的映射。", en="Expected a mapping of keys here."
            )
        return cls(mapping=value, asked=set())

    @property
    def source(self) -> Source:
        """Where the mapping starts."""
        return self.mapping.source

    def value(self, key: str) -> Value | None:
        """Return the raw value of a key; None when it is absent or an empty text."""
        self.asked.add(key)
        value = self.mapping.entries.get(key)
        return None if isinstance(value, Scalar) and value.text == "" else value

    def place(self, key: str) -> Source:
        """Return where a key's value stands, for a refusal."""
        value = self.mapping.entries.get(key)
        return value.source if value is not None else self.source

    def _needed(self, key: str) -> Value:
        value = self.value(key)
        if value is None:
            self.place(key).refuse("SCHEMA", zh=f"缺少“{key}”。", en=f"'{key}' is missing.")
        return value

    def scalar(self, key: str, *, default: str | None = None) -> Source:
        """Return the text of a key with its place."""
        value = self.value(key) if default is not None else self._needed(key)
        if value is None:
            place = self.place(key)
            return Source(
                file=place.file, line=place.line, column=place.column, text=default or "", lines=place.lines
            )
        if not isinstance(value, Scalar):
            value.source.refuse("SCHEMA", zh=f"“{key}”应为一段文字。", en=f"'{key}' is a text.")
        return value.source

    def text(self, key: str, *, default: str | None = None, limit: int = 1000) -> str:
        """Return the text of a key."""
        source = self.scalar(key, default=default)
        if len(source.text) > limit:
            source.refuse("SCHEMA", zh=f"“{key}”超过 {limit} 字。", en=f"'{key}' exceeds {limit} characters.")
        return source.text

    def matching(
        self, key: str, pattern: re.Pattern[str], example: str, *, default: str | None = None
    ) -> str:
        """Return a text that matches a pattern."""
        source = self.scalar(key, default=default)
        if not pattern.match(source.text):
            source.refuse(
                "SCHEMA", zh=f"“{key}”的写法不对，例如 {example}。", en=f"'{key}' is written like {example}."
            )
        return source.text

    def code(self, key: str = "code") -> str:
        """Return a latin code such as distance_km."""
        return self.matching(key, CODE, "distance_km")

    def date(self, key: str) -> str:
        """Return a date as text, or '' when there is none."""
        return self.matching(key, DATE, "2025-01-31", default="")

    def choice(self, key: str, options: tuple[str, ...], *, default: str | None = None) -> str:
        """Return one of the options."""
        source = self.scalar(key, default=default)
        if source.text not in options:
            listed = "、".join(options)
            source.refuse(
                "SCHEMA", zh=f"“{key}”只能是：{listed}。", en=f"'{key}' is one of: {', '.join(options)}."
            )
        return source.text

    def flag(self, key: str, *, default: str = "no") -> bool:
        """Return yes or no."""
        return self.choice(key, ("yes", "no"), default=default) == "yes"

    def decimal(self, key: str) -> Decimal:
        """Return an exact number; exponents, signs other than minus and separators are refused."""
        return Decimal(self.matching(key, DECIMAL, "0.104"))

    def whole(self, key: str, *, limit: int) -> int:
        """Return a whole number from 0 to the limit."""
        source = self.scalar(key)
        if not re.match(r"[0-9]{1,6}\Z", source.text) or int(source.text) > limit:
            source.refuse(
                "SCHEMA",
                zh=f"“{key}”应为 0 到 {limit} 的整数。",
                en=f"'{key}' is a whole number, 0 to {limit}.",
            )
        return int(source.text)

    def unit(self, key: str, *, default: str | None = None) -> Unit:
        """Return a unit of the closed list."""
        source = self.scalar(key, default=default)
        try:
            return parse_unit(source.text)
        except UnknownUnit as error:
            source.refuse("UNKNOWN_UNIT", zh=f"不认识的单位“{error}”。", en=f"Unknown unit '{error}'.")

    def words(self, key: str, *, optional: bool = False) -> Words:
        """Return a text given as {zh, en}."""
        if optional and self.value(key) is None:
            return NO_WORDS
        inner = self.reader(key)
        words = Words(zh=inner.text("zh", limit=2000), en=inner.text("en", limit=2000))
        inner.finish()
        return words

    def reader(self, key: str) -> Reader:
        """Return a reader of the mapping under a key."""
        return Reader.of(self._needed(key))

    def each(self, key: str) -> Iterator[Reader]:
        """Return readers of the mappings listed under a key; none when it is absent."""
        for item in self.items(key):
            yield Reader.of(item)

    def items(self, key: str) -> tuple[Value, ...]:
        """Return the values listed under a key; none when it is absent."""
        value = self.value(key)
        if value is None:
            return ()
        if not isinstance(value, Sequence):
            value.source.refuse("SCHEMA", zh=f"“{key}”应为列表。", en=f"'{key}' is a list.")
        return value.items

    def texts(self, key: str, *, check: Callable[[Source], None] | None = None) -> tuple[str, ...]:
        """Return the texts listed under a key, each once."""
        found: list[str] = []
        for item in self.items(key):
            if not isinstance(item, Scalar) or item.text in found or len(item.text) > 100:
                item.source.refuse(
                    "SCHEMA", zh=f"“{key}”应为不重复的文字列表。", en=f"'{key}' lists texts, each once."
                )
            if check is not None:
                check(item.source)
            found.append(item.text)
        return tuple(found)

    def finish(self) -> None:
        """Refuse entries that the schema does not know."""
        for key in self.mapping.entries:
            if key not in self.asked:
                known = ", ".join(sorted(self.asked))
                self.mapping.keys[key].refuse(
                    "SCHEMA",
                    zh=f"不认识的键“{key}”。这里可用：{known}。",
                    en=f"Unknown key '{key}'. Known here: {known}.",
                )


def unique(readers: list[tuple[str, Source]]) -> None:
    """Refuse a code or name that stands twice."""
    seen: set[str] = set()
    for name, source in readers:
        if name in seen:
            source.refuse(
                "NAME_TAKEN",
                zh=f"“{name}”已经用过，请换一个。",
                en=f"'{name}' is already used; choose another.",
            )
        seen.add(name)
