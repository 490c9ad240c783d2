"""Results for a partner's own systems (结果回传): kinds of parts, the cursor, and its refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

RESULTS_AT_ONCE_MAX = 5_000
_CURSOR = re.compile(r"[1-9][0-9]{0,17}(\.[0-9]{1,18})?")


class ResultKind(StrEnum):
    """What a part of results tells of its records."""

    POSTED = "posted"
    NOT_COUNTED = "not_counted"
    SET_ASIDE = "set_aside"
    EXCEPTED = "excepted"
    RECALCULATED = "recalculated"


class ResultState(StrEnum):
    """How one record stands after a line of results; the last line of a record holds."""

    COUNTED = "counted"
    CLIPPED = "clipped"
    NOT_COUNTED = "not_counted"
    TAKEN_BACK = "taken_back"
    REINSTATED = "reinstated"
    RECALCULATED = "recalculated"


class CursorInvalid(Refusal):
    """A cursor is given back as it was received."""

    code = "CURSOR_INVALID"
    zh = "游标 {cursor} 不对。请原样使用上一页给的 next；从头读就不带 after。"
    en = "The cursor {cursor} is not valid. Give back the `next` of the last page as it is, or none to begin."


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Where a partner goes on reading: the part of that number, after so many of its records."""

    part: int
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.part}.{self.offset}"


def read_cursor(words: str) -> Cursor:
    """Return the cursor of its text; nothing is the beginning. Raises CursorInvalid."""
    if not words:
        return Cursor(part=1)
    if not _CURSOR.fullmatch(words):
        raise CursorInvalid(cursor=words[:40])
    part, _, offset = words.partition(".")
    return Cursor(part=int(part), offset=int(offset or 0))
