"""Facts of intake that others act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReceived:
    """A file is safely stored and waits to be posted (批次已接收)."""

    batch_id: int
