"""Which errors an address can answer, as its documents say them (错误响应表)."""

from __future__ import annotations

from tanpuhui.interfaces.api.schemas import Problem


def problems(*statuses: int) -> dict[int, type[Problem]]:
    """Return the response map of these statuses: each answers a Problem, 422 among them, which ninja leaves out."""
    return dict.fromkeys(statuses, Problem)
