"""Field mappings (字段映射): how one partner's own columns become the standard ones. Data only: no expressions, no code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from tanpuhui.foundation.kernel.errors import Refusal

MAPPED = "mapped"
"""The format of an application that brings a field mapping of its own."""

SOURCE_PLACES = 12
"""A number that is converted has at most so many digits before its point, and as many behind it."""
FACTOR_MAX = 10**13
"""Beyond it a converted number would not fit the 38 digits in which it is calculated exactly."""

Encoding = Literal["utf-8", "gb18030"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextStyle:
    """How a text file is written: its encoding, and what stands between the columns of a CSV."""

    encoding: Encoding = "utf-8"
    delimiter: str = ","


PLAIN = TextStyle()


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeForm:
    """How a moment is written: a pattern of %Y %m %d %H %M %S in a zone, or `iso`, `unix_s`, `unix_ms`, which need none.

    `zone` is a name of the tz database, or a fixed offset such as +08:00.
    """

    pattern: str
    zone: str = ""

    @property
    def is_pattern(self) -> bool:
        """Say whether the moments are local times of a zone."""
        return "%" in self.pattern


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """A number's unit in the file and ours; `places` is how many decimals the result may need.

    `factor` is exact: how many of our unit one of the file's unit is.
    """

    from_unit: str
    to_unit: str
    places: int
    factor: Fraction

    @property
    def steps(self) -> tuple[int, int]:
        """Return (multiply, divide) that take 10^12 times the number to 10^places times the result, in lowest terms."""
        whole = self.factor * 10**self.places / 10**SOURCE_PLACES
        return whole.numerator, whole.denominator


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedField:
    """Where one standard field comes from: a constant, or one column, or several joined by `joined_by`."""

    code: str
    columns: tuple[str, ...] = ()
    joined_by: str = " "
    constant: str = ""
    time: TimeForm | None = None
    conversion: Conversion | None = None
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldMapping:
    """A whole mapping: how the file is written, and each standard field in the order of the document."""

    style: TextStyle
    fields: tuple[MappedField, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the file that are read, each once."""
        return tuple(dict.fromkeys(column for field in self.fields for column in field.columns))

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the standard fields that the mapping gives."""
        return tuple(field.code for field in self.fields)

    def field(self, code: str) -> MappedField | None:
        """Return how a standard field is had, None where the mapping does not give it."""
        return next((field for field in self.fields if field.code == code), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingSource:
    """What a mapping that comes into force follows from: the version of its application, and the sample that proved it."""

    application_id: int
    application_version: int
    sample_id: int


def mapping_sha256(document: str) -> str:
    """Return the hash by which a mapping is known: of its text, so that a changed remark is another version."""
    return hashlib.sha256(document.encode()).hexdigest()


def feed_adapter(adapter: str, scenario: str) -> str:
    """Return the name under which a feed reads files: a mapping is one scenario's, so its feed's format names it."""
    return f"{MAPPED}.{scenario}" if adapter == MAPPED else adapter


def is_mapped(adapter: str) -> bool:
    """Say whether the files of a feed are read through a field mapping."""
    return adapter == MAPPED or adapter.startswith(f"{MAPPED}.")


_DIRECTIVES = {"%Y": "[12][0-9]{3}", "%m": "", "%d": "", "%H": "", "%M": "", "%S": ""}
NEEDED = ("%Y", "%m", "%d", "%H", "%M")
_PIECE = re.compile(r"%[A-Za-z%]|[^%]|%")


class BadPattern(Exception):
    """The text is no pattern of a moment; the message names what is wrong."""


def moment_expression(pattern: str) -> str:
    """Return the regular expression of the moments that a pattern means. Raises BadPattern.

    A part may lack its leading zero (8:05) where a sign parts it from the next; digits that follow each other are two each.
    """
    pieces = _PIECE.findall(pattern)
    seen = [piece for piece in pieces if piece.startswith("%")]
    for piece in seen:
        if piece not in _DIRECTIVES:
            raise BadPattern(piece)
        if seen.count(piece) > 1:
            raise BadPattern(f"{piece} {piece}")
    for needed in NEEDED:
        if needed not in seen:
            raise BadPattern(needed)
    found = []
    for place, piece in enumerate(pieces):
        if not piece.startswith("%"):
            if piece.isalnum() and piece.isascii() and piece != "T":
                raise BadPattern(piece)
            found.append(re.escape(piece))
            continue
        alone = not _touches(pieces, place)
        found.append(_DIRECTIVES[piece] or ("[0-9]{1,2}" if alone else "[0-9]{2}"))
    return "".join(found)


def _touches(pieces: list[str], place: int) -> bool:
    """Say whether the part is written without a sign before or behind it."""
    neighbours: Iterator[int] = iter((place - 1, place + 1))
    return any(0 <= near < len(pieces) and pieces[near].startswith("%") for near in neighbours)


class MappingInvalid(Refusal):
    """The document says something that is no field mapping; the place is named."""

    code = "MAPPING_INVALID"
    zh = "字段映射第 {line} 行：{zh}"
    en = "Field mapping, line {line}: {en}"


class MappingMissing(Refusal):
    """The feed reads files through a field mapping and none is in force."""

    code = "MAPPING_MISSING"
    zh = "数据接入 {adapter} 还没有生效的字段映射，不能收文件。请联系运营机构。"
    en = "The feed {adapter} has no field mapping in force, so it takes no file. Contact the operator."


class MappingUnchanged(Refusal):
    """The mapping that is to come into force is in force."""

    code = "MAPPING_UNCHANGED"
    zh = "第 {version} 版申请里的字段映射已经在用，没有要启用的。"
    en = "The field mapping of version {version} is in force already; there is nothing to switch to."


class MappingNotLive(Refusal):
    """The feed is not live, so its mapping comes into force with the decision of its case."""

    code = "MAPPING_NOT_LIVE"
    zh = "这份申请还没有上线。字段映射随上线的决定一起生效，不用单独启用。"
    en = "The application is not live yet. Its field mapping comes into force with the decision to go live."


class MappingOwnWork(Refusal):
    """Who wrote a mapping does not put it in force."""

    code = "MAPPING_OWN_WORK"
    zh = "这一版字段映射是您自己保存的，要由另一位经办人启用。"
    en = "You saved this version of the field mapping yourself; another maker has to put it in force."


class NotMapped(Refusal):
    """The application's data do not come through a field mapping."""

    code = "NOT_MAPPED"
    zh = "这份申请的数据格式不用字段映射。请先在申请里选择“自有格式”。"
    en = "The format of this application uses no field mapping. Choose the partner's own format in the application first."
