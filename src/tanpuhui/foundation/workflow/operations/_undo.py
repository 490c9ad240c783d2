"""Which outcomes can be taken back (撤销): (subject type, outcome) → what undoes their effect, installed by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Undo = Callable[..., object]
"""Called with actor, at, case_id, subject_id and opinion, inside the transaction that rescinds the decision."""

_undo: dict[tuple[str, str], Undo | Instead] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """An outcome whose effect is not taken back by rescinding the decision, and what to do instead."""

    zh: str
    en: str


OTHERWISE = Instead(
    zh="这类决定的后果不能随撤销收回，请按业务规则另行办理，或更正决定的文字",
    en="its effect is not taken back by rescinding it; act on the matter itself, or correct the wording",
)
"""What is said of an outcome that nobody listed."""


def NOTHING_TO_UNDO(**_: object) -> None:  # noqa: N802  a declaration in a table, spelt like the constants beside it
    """Declare that an outcome changed nothing but the case itself, so that rescinding it undoes all of it."""


def install_undo(table: Mapping[tuple[str, str], Undo | Instead]) -> None:
    """Replace the whole table; called once by `config.wiring`."""
    _undo.clear()
    _undo.update(table)


def installed_undo() -> Mapping[tuple[str, str], Undo | Instead]:
    """Return the table as it is installed."""
    return dict(_undo)


def undo_of(*, subject_type: str, outcome: str) -> Undo | Instead:
    """Return what undoes the outcome, or what to do instead."""
    return _undo.get((subject_type, outcome), OTHERWISE)
