"""Which of several records of one activity counts (同一行为只计一次): the rule of winning, apart from where the records lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOBODY = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What kind of activity a scenario records, in which group no two can happen at once (`travel/bus`)."""

    group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Kind:
        """Read `group/name`; ValueError for anything else."""
        group, slash, name = text.partition("/")
        if not (group and slash and name):
            message = f"no kind of activity: {text!r}, expected group/name such as travel/bus"
            raise ValueError(message)
        return cls(group=group, name=name)


def winners(
    rank: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Say of each record who won over it, NOBODY where it counts itself.

    `rank` orders the records (0 wins over all others); `first` and `second` are pairs of places that cannot both count.
    The best record counts and every one that conflicts with it loses to it, then the best of the rest, and so on: a record
    that lost excludes nobody. All records that no better open one stands against are decided at once, which gives the same
    as taking them one by one.
    """
    better = np.where(rank[first] < rank[second], first, second)
    worse = np.where(rank[first] < rank[second], second, first)
    lost = np.zeros(len(rank), bool)
    undecided = np.ones(len(better), bool)
    while undecided.any():
        open_below = np.zeros(len(rank), bool)
        open_below[worse[undecided]] = True
        decided = undecided & ~open_below[better]
        lost[worse[decided]] = True
        undecided &= ~(decided | lost[better] | lost[worse])
    against = ~lost[better]
    heads, losers = better[against], worse[against]
    won_by = np.full(len(rank), NOBODY, np.int64)
    order = np.argsort(-rank[heads], kind="stable")  # the best winner is written last and stays
    won_by[losers[order]] = heads[order]
    return won_by
