"""One text for one value: canonical JSON (RFC 8785) without binary floats, and the strict reading of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime

import rfc8785

SAFE_INTEGER_MAX = 2**53 - 1
DOCUMENT_BYTES_MAX = 1_000_000

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class NotCanonical(ValueError):
    """The value has no exact canonical form: a float, an integer beyond 2^53 − 1, or a type that JSON does not have."""


class Unreadable(ValueError):
    """The bytes are not one JSON document of the strict kind."""


def canonical(value: object) -> bytes:
    """Return the canonical JSON of texts, safe integers, truth values, null, lists and string-keyed mappings.

    Larger integers are written as text by the caller, who knows their meaning; raises NotCanonical.
    """
    _check(value, "$")
    try:
        return bytes(rfc8785.dumps(value))
    except rfc8785.CanonicalizationError as error:
        raise NotCanonical(str(error)) from error


def parse(data: bytes) -> object:
    """Read JSON in UTF-8 strictly: no member twice, no fraction, exponent, NaN, −0 or unsafe integer; raises Unreadable."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise Unreadable(f"longer than {DOCUMENT_BYTES_MAX} bytes")
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_repetition,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_safe_integer,
        )
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from error


def instant(moment: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC with six decimals, the one form the log knows."""
    if moment.tzinfo is None:
        message = "a moment without time zone is not written into the log"
        raise NotCanonical(message)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def is_instant(value: object) -> bool:
    """Say whether this is a moment in the form that `instant` writes."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _check(value: object, place: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER_MAX:
            raise NotCanonical(f"{place}: {value} is beyond 2^53 − 1; write it as text")
        return
    if isinstance(value, str):
        return
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                raise NotCanonical(f"{place}: a member name is text, not {type(name).__name__}")
            _check(member, f"{place}.{name}")
        return
    if isinstance(value, list | tuple):
        for position, member in enumerate(value):
            _check(member, f"{place}[{position}]")
        return
    raise NotCanonical(f"{place}: {type(value).__name__} has no exact form in the log")


def _safe_integer(text: str) -> int:
    if text == "-0" or len(text) > 17 or abs(int(text)) > SAFE_INTEGER_MAX:
        raise Unreadable(f"{text[:24]} is not a safe integer")
    return int(text)


def _refuse_number(text: str) -> object:
    raise Unreadable(f"{text[:24]} is not an integer")


def _without_repetition(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in pairs:
        if name in result:
            raise Unreadable(f"the member {name} stands twice")
        result[name] = value
    return result
