"""What each person put into a pool (归集份额): where a person's grams are, the proof of it, and whether the tree is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts.domain import NoPoolProof
from tanpuhui.behaviour.carbon_accounts.models import CarbonAccount, Pool, PoolContributions, PoolPosting
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.transparency import queries as transparency
from tanpuhui.books.transparency.queries import PART_LEAVES, ContributionLeaves
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Grams

_THE_BEGINNING, _THE_END = date(1970, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionView:
    """A person's grams in one pool, and of how many people it is made.

    `people` is None for a pool that was made before contributions had a tree; there is no proof for it.
    """

    pool_id: int
    scenario: str
    month: str
    grams: Grams
    people: int | None


def contributions(user_id: int) -> tuple[ContributionView, ...]:
    """Return the pools that hold a person's grams, the latest month first; raises NotFound where there is no account.

    The grams are those of the postings as they were pooled. What recalculations changed later is counted by a later
    pool as one sum and is not part of anybody's leaf.
    """
    account_id = _ledger_account(user_id)
    credited: dict[int, int] = {}
    for entry in ledger.entries_of_days(account_id, first_day=_THE_BEGINNING, last_day=_THE_END):
        posting = activity.posting_of_journal(kind=entry.kind, reference=entry.reference)
        if posting is not None:
            credited[posting] = credited.get(posting, 0) + entry.grams.value
    sums: dict[int, int] = {}
    for posting_id, pool_id in PoolPosting.objects.filter(posting_id__in=credited).values_list(
        "posting_id", "pool_id"
    ):
        sums[pool_id] = sums.get(pool_id, 0) + credited[posting_id]
    rows = (
        Pool.objects.filter(pk__in=[pool_id for pool_id, grams in sums.items() if grams])
        .select_related("contributions")
        .order_by("-month", "scenario")
    )
    return tuple(
        ContributionView(
            pool_id=row.pk,
            scenario=row.scenario,
            month=row.month,
            grams=Grams(sums[row.pk]),
            people=row.contributions.people if hasattr(row, "contributions") else None,
        )
        for row in rows
    )


def pool_inclusion(user_id: int, *, pool_id: int) -> bytes:
    """Return `pool-inclusion.json`: that a person's grams are in a pool, for the person or whom they give it to.

    Raises NotFound for a pool without this person's grams, NoPoolProof for one made before there were proofs, and
    ProofPending in the seconds until a head covers it. Reads one part of the tree, however large the pool is.
    """
    account_id = _ledger_account(user_id)
    row = Pool.objects.select_related("contributions").filter(pk=pool_id).first()
    if row is None:
        raise NotFound(what="归集 pool", id=pool_id)
    if not hasattr(row, "contributions"):
        raise NoPoolProof(scenario=row.scenario, month=row.month)
    parts = list(row.parts.order_by("number"))
    part = next((one for one in parts if one.first_account_id <= account_id <= one.last_account_id), None)
    shares = [] if part is None else _shares(row.pk, part.first_account_id, part.last_account_id)
    place = next((place for place, (account, _) in enumerate(shares) if account == account_id), None)
    if part is None or place is None:
        raise NotFound(what="归集 pool", id=pool_id)
    leaves = leaves_of(row.contributions)
    return transparency.pool_inclusion(
        leaf_id=row.leaf_id,
        contribution=leaves.document(*shares[place]),
        index=part.number * PART_LEAVES + place,
        path=transparency.contribution_path(
            list(leaves.hashes(shares)),
            place=place,
            parts=[bytes(one.root) for one in parts],
            part=part.number,
        ),
    )


def leaves_of(row: PoolContributions) -> ContributionLeaves:
    """Return the leaves of a pool's tree, which its secret salts."""
    return ContributionLeaves(
        scenario=row.pool.scenario, month=row.pool.month, secret=bytes.fromhex(str(row.secret))
    )


def contribution_breaches() -> Iterator[Breach]:
    """Report pools whose tree is not that of the ledger's entries, or whose root is not in the public log."""
    for row in PoolContributions.objects.select_related("pool").order_by("pool_id"):
        subject = f"pool:{row.pool_id}"
        runs = ledger.grams_by_account(_journals(row.pool_id), size=PART_LEAVES)
        found = [
            (part.first_account, part.last_account, part.leaves, part.grams, part.root)
            for part in transparency.parts_of(leaves_of(row), runs)
        ]
        kept = [
            (one.first_account_id, one.last_account_id, one.people, one.grams.value, bytes(one.root))
            for one in row.pool.parts.order_by("number")
        ]
        if kept != found:
            yield Breach(
                "carbon_accounts.contributions_are_the_entries",
                subject,
                "the parts are not those of the ledger",
            )
        members = Grams.total(row.pool.members.values_list("grams", flat=True))
        if row.grams != members or row.grams.value != sum(part[3] for part in found):
            detail = f"people have {row.grams} g, its postings {members} g"
            yield Breach("carbon_accounts.contributions_add_up", subject, detail)
        named = {
            "root": transparency.contributions_root(part[4] for part in found).hex(),
            "people": sum(part[2] for part in found),
            "grams": str(row.grams.value),
        }
        leaf = transparency.leaf(row.pool.leaf_id)
        own = (bytes(row.root).hex(), row.people)
        if (
            leaf is None
            or leaf.payload.get("contributions") != named
            or own != (named["root"], named["people"])
        ):
            yield Breach(
                "carbon_accounts.contributions_are_in_the_log", subject, "the log names another root"
            )


def _ledger_account(user_id: int) -> int:
    number = CarbonAccount.objects.filter(user_id=user_id).values_list("ledger_account_id", flat=True).first()
    if number is None:
        raise NotFound(what="碳账户 carbon account", id=user_id)
    return number


def _shares(pool_id: int, first: int, last: int) -> list[tuple[int, int]]:
    runs = ledger.grams_by_account(
        _journals(pool_id), size=PART_LEAVES, first_account=first, last_account=last
    )
    return [share for run in runs for share in run]


def _journals(pool_id: int) -> Sequence[int]:
    """Return the ledger's journals of a pool's postings."""
    members = PoolPosting.objects.filter(pool_id=pool_id).values_list("posting_id", flat=True)
    return activity.journals_of_postings(list(members))
