"""Who has something to win or lose in a scenario (利害关系): asked of the rooms above through `config/wiring.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tanpuhui.science.methodology.domain import Interest

InterestSource = Callable[[str], Sequence[Interest]]
"""Called with a scenario; returns the organisations that run something in it: projects, pools, feeds."""

_sources: list[InterestSource] = []


def install_interest_sources(sources: Sequence[InterestSource]) -> None:
    """Set who is asked; called once by `config.wiring`."""
    _sources[:] = sources


def interests_in(scenario: str) -> tuple[Interest, ...]:
    """Return every interest in a scenario; that nobody is asked is a mistake in the wiring (LookupError)."""
    if not _sources:
        message = "nobody says who has an interest in a scenario: list the sources in config/wiring.py"
        raise LookupError(message)
    return tuple(interest for source in _sources for interest in source(scenario))
