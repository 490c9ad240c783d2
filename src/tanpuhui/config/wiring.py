"""The composition root: what a decision sets off, and who hears of an event. The only file in which calls go up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tanpuhui.foundation.persistence.events import install_subscribers

EFFECTS: Mapping[tuple[str, str], Callable[..., Any]] = {}
"""(subject type, outcome) → the operation that runs in the deciding transaction."""

SUBSCRIBERS: Mapping[type, Sequence[str]] = {}
"""Event → names of the tasks that are deferred in the transaction that published it."""


def install() -> None:
    """Hand both tables to the rooms that use them."""
    install_subscribers(SUBSCRIBERS)
