"""A person's part of a pool (归集中的个人份额) as a leaf of the pool's own tree, and the parts that tree is stored in.

The leaf is the canonical JSON of account, grams, scenario, month and a salt of the leaf's own, so the hashes along
somebody's path tell nothing about the neighbours. The tree is that of RFC 9162, section 2.1.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tanpuhui.books.transparency.domain.canonical import canonical
from tanpuhui.books.transparency.domain.merkle import (
    Coordinate,
    Frontier,
    inclusion_path,
    leaf_hash,
    root_of,
)

CONTRIBUTION_FORMAT = "tanpuhui-contribution/1"
PART_LEAVES = 4_096
"""A power of two, so that the roots of full parts are nodes of the tree, and a last part's root is too."""


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive leaves of a pool's tree: the accounts they are of, how many, their grams and the root over them."""

    first_account: int
    last_account: int
    leaves: int
    grams: int
    root: bytes


class ContributionLeaves:
    """The leaves of one pool. Salts are derived from the pool's secret of 32 bytes, so that none is stored."""

    def __init__(self, *, scenario: str, month: str, secret: bytes) -> None:
        """Lay out what all leaves of the pool have in common."""
        self._scenario, self._month, self._secret = scenario, month, secret
        # The members stand in canonical order; the values that differ are digits, which JSON does not escape.
        mark = "\x00"
        text = canonical(self._members(account=mark, grams=mark, salt=mark)).decode()
        self._pieces = text.split(canonical(mark).decode().strip('"'))

    def document(self, account: int, grams: int) -> dict[str, object]:
        """Return a leaf as it stands in the person's file: ten digits of the account, grams as text, the salt."""
        return self._members(account=f"{account:010d}", grams=str(grams), salt=self._salt(f"{account:010d}"))

    def hashes(self, contributions: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        """Return the leaf hash of each (account, grams), in their order."""
        before, after_account, after_grams, after_salt = (piece.encode() for piece in self._pieces)
        for account, grams in contributions:
            digits = f"{account:010d}"
            salt = self._salt(digits).encode()
            middle = b"%d" % grams + after_grams + salt + after_salt
            yield leaf_hash(before + digits.encode() + after_account + middle)

    def _members(self, *, account: str, grams: str, salt: str) -> dict[str, object]:
        return {
            "account": account,
            "format": CONTRIBUTION_FORMAT,
            "grams": grams,
            "month": self._month,
            "salt": salt,
            "scenario": self._scenario,
        }

    def _salt(self, digits: str) -> str:
        return hmac.digest(self._secret, digits.encode(), "sha256").hex()


def parts_of(leaves: ContributionLeaves, runs: Iterable[Sequence[tuple[int, int]]]) -> Iterator[Part]:
    """Return the parts of a pool's tree from (account, grams) by account, in runs of `PART_LEAVES` but for the last."""
    for run in runs:
        yield Part(
            first_account=run[0][0],
            last_account=run[-1][0],
            leaves=len(run),
            grams=sum(grams for _, grams in run),
            root=root_of(leaves.hashes(run)),
        )


def contribution_path(
    hashes: Sequence[bytes], *, place: int, parts: Sequence[bytes], part: int
) -> list[bytes]:
    """Return the path of the leaf at `place` of part number `part`, from its part's leaf hashes and all parts' roots.

    A range of RFC 9162 that is longer than a part begins and ends at parts, so both paths join to the whole tree's.
    """
    return [*_path(hashes, place), *_path(parts, part)]


def _path(hashes: Sequence[bytes], place: int) -> list[bytes]:
    frontier = Frontier()
    nodes: dict[Coordinate, bytes] = {}
    for hashed in hashes:
        nodes.update(frontier.append(hashed))
    return inclusion_path(place, len(hashes), nodes.__getitem__)
