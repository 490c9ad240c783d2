"""YAML whose every value is text and knows its line, so that a mistake is named by file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from tanpuhui.foundation.rulebook.domain import CONFIDENCE, JurisdictionInvalid

UNSET = "unset"


@dataclass(frozen=True, slots=True)
class Placed:
    """A value of a YAML file with its place; reading it in a wrong way raises JurisdictionInvalid."""

    file: str
    node: yaml.Node

    def refuse(self, why: str) -> JurisdictionInvalid:
        """Return the refusal that names this place."""
        return JurisdictionInvalid(file=self.file, line=self.node.start_mark.line + 1, why=why)

    def fields(self, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Mapping[str, Placed]:
        """Return the members of a mapping that has every required name and none that is not listed."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refuse("a mapping is expected")
        found: dict[str, Placed] = {}
        for key, value in self.node.value:
            name = Placed(self.file, key).text()
            if name in found:
                raise Placed(self.file, key).refuse(f"{name} stands twice")
            if name not in required + optional:
                raise Placed(self.file, key).refuse(f"{name} is not known here")
            found[name] = Placed(self.file, value)
        missing = [name for name in required if name not in found]
        if missing:
            raise self.refuse("missing: " + ", ".join(missing))
        return found

    def evidence_tag(self) -> str:
        """Return how far a value can be trusted, as one of the research tags or DEMO."""
        text = self.text()
        if CONFIDENCE.fullmatch(text) is None:
            raise self.refuse(
                f"{text!r} is no evidence tag (S1, GK-H, GK-M, GK-L, DI, NOT ESTABLISHED, DEMO)"
            )
        return text

    def items(self) -> Iterator[Placed]:
        """Return the members of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.refuse("a list is expected")
        return (Placed(self.file, value) for value in self.node.value)

    def is_list(self) -> bool:
        """Say whether a list stands here."""
        return isinstance(self.node, yaml.SequenceNode)

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.node, yaml.ScalarNode) or not str(self.node.value).strip():
            raise self.refuse("a text is expected")
        return str(self.node.value)

    def text_or_unset(self) -> str | None:
        """Return a text, or None for the word `unset`."""
        text = self.text()
        return None if text == UNSET else text

    def one_of(self, allowed: tuple[str, ...]) -> str:
        """Return a text that is one of the allowed."""
        text = self.text()
        if text not in allowed:
            raise self.refuse(f"{text!r} is not one of {', '.join(allowed)}")
        return text

    def whole_number(self) -> int:
        """Return a whole number that is not negative."""
        text = self.text()
        if not (text.isascii() and text.isdigit()):
            raise self.refuse(f"{text!r} is not a whole number")
        return int(text)

    def day(self) -> date:
        """Return a day written 2025-01-31."""
        text = self.text()
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.refuse(f"{text!r} is not a day such as 2025-01-31") from error


def read_yaml(path: Path) -> Placed:
    """Read one YAML document with the base loader: no tag, number or date is ever guessed. Raises JurisdictionInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.BaseLoader)):
            raise JurisdictionInvalid(file=path.name, line=1, why="aliases (*) are not used here")
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except FileNotFoundError as error:
        raise JurisdictionInvalid(file=str(path.name), line=1, why="the file is missing") from error
    except UnicodeDecodeError as error:
        raise JurisdictionInvalid(file=path.name, line=1, why="the file is not UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise JurisdictionInvalid(
            file=path.name, line=line, why=str(getattr(error, "problem", error))
        ) from error
    if node is None:
        raise JurisdictionInvalid(file=path.name, line=1, why="the file is empty")
    return Placed(path.name, node)
