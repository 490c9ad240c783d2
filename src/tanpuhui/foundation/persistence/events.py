"""Facts that others act on: written as deferred jobs in the same transaction, so that none is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from django.db import connection
from pydantic import TypeAdapter

from tanpuhui.foundation.persistence.jobs import defer

_subscribers: dict[type, tuple[str, ...]] = {}


def install_subscribers(subscribers: Mapping[type, Sequence[str]]) -> None:
    """Set which task names hear of which event; called once by `config.wiring`."""
    _subscribers.clear()
    _subscribers.update({event: tuple(tasks) for event, tasks in subscribers.items()})


def subscribed_tasks(event: type) -> tuple[str, ...]:
    """Return the names of the tasks that hear of an event."""
    return _subscribers.get(event, ())


def publish(event: object) -> None:
    """Defer every task that hears of this event, within the open transaction.

    The fields of the event are the arguments of the task. An event nobody knows is a mistake in the wiring.
    """
    if not connection.in_atomic_block:
        message = "an event is published inside the transaction that makes it true"
        raise RuntimeError(message)
    if type(event) not in _subscribers:
        message = f"{type(event).__name__} is not listed in config/wiring.py"
        raise LookupError(message)
    arguments = TypeAdapter(type(event)).dump_python(event, mode="json")
    if not dataclasses.is_dataclass(event):
        message = f"{type(event).__name__} is not a dataclass"
        raise TypeError(message)
    for task in _subscribers[type(event)]:
        defer(task, **arguments)
