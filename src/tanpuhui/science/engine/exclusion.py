"""Exclusion groups (互斥组): which of several results of one subject in one period count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.science.engine.model import Exclusion
from tanpuhui.science.engine.reasons import EXCLUDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A result that wants to count. `tier` is its evidence (1 is best), `order` its place in time of posting.

    Claims of one `side` stand together: the trips of a day against the day without a car. A claim without a side
    stands for itself.
    """

    id: str
    side: str
    grams: Grams
    tier: int
    order: int


def excluded(exclusion: Exclusion, claims: Sequence[Claim]) -> dict[str, str]:
    """Return the reason by id of every claim that does not count; those of the winning side are not in it.

    All claims are of one subject and one period. `greatest`: most grams; `evidence`: the best tier, then most grams;
    `first`: the earliest. What is still equal is decided by the earliest claim, then by its id, so that every
    order of reading gives the same winner.
    """
    sides: dict[str, list[Claim]] = {}
    for claim in claims:
        sides.setdefault((claim.side and f"side {claim.side}") or f"own {claim.id}", []).append(claim)

    def rank(side: list[Claim]) -> tuple[int, int, int, str]:
        grams = Grams.total(claim.grams for claim in side).value
        tier = min(claim.tier for claim in side)
        first = min((claim.order, claim.id) for claim in side)
        return {
            "greatest": (-grams, 0, *first),
            "evidence": (tier, -grams, *first),
            "first": (0, 0, *first),
        }[exclusion.keep]

    winner = min(sides.values(), key=rank, default=[])
    kept = {claim.id for claim in winner}
    return {claim.id: f"{EXCLUDED}:{exclusion.group}" for claim in claims if claim.id not in kept}
