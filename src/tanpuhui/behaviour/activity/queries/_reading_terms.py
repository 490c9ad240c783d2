"""With which bounds and for which columns a file is read (读取条件)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology


def limits(at: datetime) -> Limits:
    """Return the bounds of a file. Raises ParameterUnset."""
    return Limits(
        file_bytes_max=_bytes("intake.file_bytes_max", at), line_bytes_max=_bytes("intake.line_bytes_max", at)
    )


def field_codes(version_ids: Iterable[int]) -> tuple[str, ...]:
    """Return the field codes of the versions, each once. Raises what loading a version raises."""
    return tuple(
        dict.fromkeys(
            item.code for version_id in version_ids for item in methodology.loaded(version_id).fields
        )
    )


def _bytes(key: str, at: datetime) -> int:
    return int(str(rulebook.require_parameter(key=key, at=at).value))
