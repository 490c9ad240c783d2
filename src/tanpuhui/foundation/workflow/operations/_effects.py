"""What a decision sets off: (subject type, outcome) → operation, installed once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Effect = Callable[..., object]
"""Called with actor, at, case_id, subject_id and opinion, inside the deciding transaction."""

_effects: dict[tuple[str, str], Effect] = {}


def NO_EFFECT(**_: object) -> None:  # noqa: N802  a declaration in a table, spelt like the constants beside it
    """Declare that an outcome changes nothing but the case itself."""


def install_effects(effects: Mapping[tuple[str, str], Effect]) -> None:
    """Replace the whole table of effects; called once by `config.wiring`."""
    _effects.clear()
    _effects.update(effects)


def installed_effects() -> Mapping[tuple[str, str], Effect]:
    """Return the table as it is installed."""
    return dict(_effects)


def effect_of(*, subject_type: str, outcome: str) -> Effect:
    """Return what the outcome sets off; an outcome nobody listed is a mistake in the wiring (LookupError)."""
    try:
        return _effects[subject_type, outcome]
    except KeyError:
        message = (
            f"the outcome {outcome!r} of {subject_type!r} has no effect in config/wiring.py (use NO_EFFECT)"
        )
        raise LookupError(message) from None
