"""YAML of an untrusted author (受限的 YAML): base loader events only, limited in size, depth and count.

Every scalar stays text. Anchors, aliases, tags and repeated keys are refused; nothing recurses.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any

import yaml

from tanpuhui.science.engine.errors import Source

MAX_BYTES = 128 * 1024
MAX_NODES = 6000
MAX_DEPTH = 12
MAX_SCALAR = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class Scalar:
    """A text and where it stands."""

    source: Source

    @property
    def text(self) -> str:
        """The text as the base loader reads it."""
        return self.source.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequence:
    """A list and where it starts."""

    source: Source
    items: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """A mapping and where it starts; keys keep their own place."""

    source: Source
    entries: MappingOf[str, Value]
    keys: MappingOf[str, Source]


Value = Scalar | Sequence | Mapping


def read_yaml(content: bytes, *, file: str) -> Value:
    """Read one YAML document, or refuse with the place."""
    start = Source.of_text("", file=file)
    if len(content) > MAX_BYTES:
        start.refuse(
            "FILE_TOO_BIG",
            zh=f"文件超过 {MAX_BYTES // 1024} KiB。",
            en=f"The file exceeds {MAX_BYTES // 1024} KiB.",
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        start.refuse(
            "NOT_UTF8",
            zh=f"文件不是 UTF-8 编码（第 {error.start} 字节）。",
            en=f"The file is not UTF-8 (byte {error.start}).",
        )
    lines = tuple(text.splitlines())
    try:
        return _Builder(file=file, lines=lines).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Source(
            file=file, line=mark.line if mark else 0, column=mark.column if mark else 0, text="", lines=lines
        )
        place.refuse("YAML", zh=f"YAML 写法有误：{error.problem}。", en=f"Not valid YAML: {error.problem}.")
    except yaml.YAMLError as error:
        start.refuse(
            "YAML", zh="文件含有 YAML 不允许的字符。", en=f"Not valid YAML: {str(error).splitlines()[0]}."
        )


class _Builder:
    """Folds the event stream into values with an explicit stack."""

    def __init__(self, *, file: str, lines: tuple[str, ...]) -> None:
        self.file = file
        self.lines = lines
        self.count = 0
        self.stack: list[tuple[bool, Source, list[Value]]] = []
        self.root: Value | None = None

    def build(self, text: str) -> Value:
        documents = 0
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            place = self._place(event)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    place.refuse("YAML", zh="一个文件只能有一份文档。", en="A file holds one document only.")
            if isinstance(event, yaml.NodeEvent):
                self._node(event, place)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
        if self.root is None:
            Source.of_text("", file=self.file).refuse("YAML", zh="文件是空的。", en="The file is empty.")
        return self.root

    def _place(self, event: Any, text: str = "") -> Source:
        mark = event.start_mark
        return Source(file=self.file, line=mark.line, column=mark.column, text=text, lines=self.lines)

    def _node(self, event: Any, place: Source) -> None:
        self.count += 1
        if self.count > MAX_NODES or len(self.stack) >= MAX_DEPTH:
            place.refuse(
                "FILE_TOO_COMPLEX", zh="文件的项数或层数过多。", en="The file has too many items or levels."
            )
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            place.refuse(
                "YAML_ANCHOR",
                zh="不能使用 YAML 锚点或引用，请写全。",
                en="YAML anchors and aliases are not allowed; write it out.",
            )
        if getattr(event, "tag", None) is not None:
            place.refuse("YAML_TAG", zh="不能使用 YAML 标签。", en="YAML tags are not allowed.")
        if isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_SCALAR:
                place.refuse(
                    "TEXT_TOO_LONG",
                    zh=f"一段文字超过 {MAX_SCALAR} 字。",
                    en=f"A text exceeds {MAX_SCALAR} characters.",
                )
            self._add(Scalar(source=self._scalar_source(event)))
        else:
            self.stack.append((isinstance(event, yaml.MappingStartEvent), place, []))

    def _scalar_source(self, event: Any) -> Source:
        mark = event.start_mark
        line, column = mark.line, mark.column
        if event.style in {"'", '"'}:
            column += 1
        elif event.style in {"|", ">"}:
            line += 1
            first = self.lines[line] if line < len(self.lines) else ""
            column = len(first) - len(first.lstrip(" "))
        return Source(file=self.file, line=line, column=column, text=event.value, lines=self.lines)

    def _close(self) -> None:
        is_mapping, place, values = self.stack.pop()
        if not is_mapping:
            self._add(Sequence(source=place, items=tuple(values)))
            return
        entries: dict[str, Value] = {}
        keys: dict[str, Source] = {}
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, Scalar):
                key.source.refuse("YAML_KEY", zh="键必须是文字。", en="A key must be a text.")
            if key.text in entries:
                key.source.refuse(
                    "YAML_KEY", zh=f"键“{key.text}”重复。", en=f"The key '{key.text}' is repeated."
                )
            entries[key.text], keys[key.text] = value, key.source
        self._add(Mapping(source=place, entries=entries, keys=keys))

    def _add(self, value: Value) -> None:
        if self.stack:
            self.stack[-1][2].append(value)
        else:
            self.root = value
