"""Pool a month of a scenario."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.queries import (
    MonthAdjustment,
    MonthException,
    PostingView,
    month_adjustments,
    month_exceptions,
    postings_of_scenario,
)
from tanpuhui.behaviour.carbon_accounts.domain import (
    CERTIFIABLE_EVIDENCE_TIERS,
    AlreadyPooled,
    NothingToPool,
    PoolTooEarly,
    SettleDaysUndecided,
    earliest_pooling,
    pool_root,
    pool_sum,
)
from tanpuhui.behaviour.carbon_accounts.events import MonthPooled as MonthPooledEvent
from tanpuhui.behaviour.carbon_accounts.models import (
    Pool,
    PoolAdjustment,
    PoolContributions,
    PoolException,
    PoolPart,
    PoolPosting,
)
from tanpuhui.books.ledger.queries import grams_by_account
from tanpuhui.books.transparency.operations import LeafKind, append_leaf
from tanpuhui.books.transparency.queries import (
    PART_LEAVES,
    SALT_BYTES,
    ContributionLeaves,
    Part,
    contributions_root,
    parts_of,
)
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import Month, business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction, parameter
from tanpuhui.science.methodology import queries as methodology

_OPERATION = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPooled:
    """The pool: grams counted now, carried in, whole tonnes, and the remainder that is carried on."""

    pool_id: int
    scenario: str
    month: str
    grams: Grams
    carried_in: Grams
    tonnes: Tonnes
    remainder: Grams


@operation(roles={Role.MAKER}, subject="pool:{pool_id}")
def pool_month(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    scenario: str,
    month: str,
    decided_because: str = "",
) -> MonthPooled:
    """Count every certifiable posting of a scenario up to a month that is in no pool yet, and floor to whole tonnes.

    What finished recalculations and exceptions of records changed in these months is counted once too, so a loss of grams pooled before makes
    this pool smaller.
    `month` is written 2026-11. Late postings of earlier months are counted with it. Waits `pool.settle_days` after
    the month's end; where no rule sets them, `decided_because` says why a person pools now.
    Raises Invalid, PoolTooEarly, SettleDaysUndecided, AlreadyPooled, NothingToPool.
    Clause: house plan section 6, invariant 4.
    """
    # A scenario's month is one pool for the whole jurisdiction, so a maker of a part of it may not take it.
    actor.require(Role.MAKER, operation="carbon_accounts.pool_month", area=jurisdiction().area)
    try:
        wanted = Month.parse(month)
    except ValueError as error:
        raise Invalid(field="month", why=str(error)) from error
    lock_names(f"carbon_accounts:pool:{scenario}")
    settle_days = _permit_time(
        scenario=scenario, month=wanted, at=at, decided_because=decided_because.strip()
    )
    previous = Pool.objects.filter(scenario=scenario).order_by("-month").first()
    if previous is not None and Month.parse(previous.month) >= wanted:
        raise AlreadyPooled(scenario=scenario, through=previous.month, month=month)
    members = _unpooled(scenario=scenario, month=wanted)
    adjustments = _uncounted(scenario=scenario, month=wanted)
    exceptions = _uncounted_exceptions(scenario=scenario, month=wanted)
    if not members and not adjustments and not exceptions:
        raise NothingToPool(scenario=scenario, month=month)
    pool = _write(
        members=members,
        adjustments=adjustments,
        exceptions=exceptions,
        previous=previous,
        scenario=scenario,
        month=wanted,
        settle_days=settle_days,
        decided_because=decided_because.strip(),
        at=at,
    )
    publish(MonthPooledEvent(pool_id=pool.pk, scenario=scenario, month=month))
    return MonthPooled(
        pool_id=pool.pk,
        scenario=scenario,
        month=month,
        grams=pool.grams,
        carried_in=pool.carried_in,
        tonnes=pool.tonnes,
        remainder=pool.remainder,
    )


def _permit_time(*, scenario: str, month: Month, at: datetime, decided_because: str) -> int | None:
    rule = parameter(key="pool.settle_days", at=at, scope=scenario)
    settle_days = None if rule.value is None else int(rule.value)
    earliest = earliest_pooling(month, settle_days or 0)
    if business_day(at) < earliest:
        raise PoolTooEarly(scenario=scenario, month=month, earliest=earliest)
    if settle_days is None and not decided_because:
        raise SettleDaysUndecided(scenario=scenario)
    return settle_days


def _unpooled(*, scenario: str, month: Month) -> list[PostingView]:
    pooled = set(PoolPosting.objects.filter(pool__scenario=scenario).values_list("posting_id", flat=True))
    return sorted(
        (
            posting
            for posting in postings_of_scenario(scenario=scenario, through_month=month)
            if posting.evidence_tier in CERTIFIABLE_EVIDENCE_TIERS and posting.id not in pooled
        ),
        key=lambda posting: posting.id,
    )


def _uncounted(*, scenario: str, month: Month) -> list[MonthAdjustment]:
    counted = set(
        PoolAdjustment.objects.filter(pool__scenario=scenario).values_list("recalculation_id", "month")
    )
    found = month_adjustments(
        scenario=scenario, through_month=month, evidence_tiers=sorted(CERTIFIABLE_EVIDENCE_TIERS)
    )
    return [one for one in found if (one.recalculation_id, one.month) not in counted]


def _uncounted_exceptions(*, scenario: str, month: Month) -> list[MonthException]:
    counted = set(
        PoolException.objects.filter(pool__scenario=scenario).values_list("exception_run_id", "month")
    )
    found = month_exceptions(
        scenario=scenario, through_month=month, evidence_tiers=sorted(CERTIFIABLE_EVIDENCE_TIERS)
    )
    return [one for one in found if (one.run_id, one.month) not in counted]


def _write(
    *,
    members: Sequence[PostingView],
    adjustments: Sequence[MonthAdjustment],
    exceptions: Sequence[MonthException],
    previous: Pool | None,
    scenario: str,
    month: Month,
    settle_days: int | None,
    decided_because: str,
    at: datetime,
) -> Pool:
    adjusted = Grams.total(one.grams for one in adjustments) + Grams.total(one.grams for one in exceptions)
    grams = Grams.total(posting.grams for posting in members) + adjusted
    carried_in = previous.remainder if previous is not None else Grams(0)
    total = pool_sum(grams, carried_in)
    root = _root(members, adjustments, exceptions)
    used = {p.methodology_version_id for p in members} | {one.to_version_id for one in adjustments}
    versions = [methodology.version(version_id) for version_id in sorted(used)]
    methodologies = sorted({f"{version.code} {version.version}" for version in versions})
    purpose = next((v.purpose for v in versions if v.purpose != _OPERATION), _OPERATION)
    months = [posting.month for posting in members] + [one.month for one in adjustments]
    months += [one.month for one in exceptions]
    secret = secrets.token_bytes(SALT_BYTES)
    parts = _parts(members, scenario=scenario, month=month, secret=secret)
    leaf_id = append_leaf(
        kind=LeafKind.POOL,
        subject=f"{scenario}:{month}",
        payload={
            "scenario": scenario,
            "month": str(month),
            "postings": len(members),
            "adjustments": len(adjustments) + len(exceptions),
            "adjusted": str(adjusted.value),
            "grams": str(grams.value),
            "carried_in": str(carried_in.value),
            "tonnes": str(total.tonnes.value),
            "remainder": str(total.remainder.value),
            "root": root,
            "contributions": _contributed(parts),
            "methodologies": methodologies,
            "purpose": purpose,
        },
        at=at,
    )
    pool = Pool.objects.create(
        scenario=scenario,
        month=str(month),
        first_day=min(Month.parse(month) for month in months).first_day,
        last_day=month.last_day,
        previous=previous,
        postings=len(members),
        grams=grams,
        carried_in=carried_in,
        tonnes=total.tonnes,
        remainder=total.remainder,
        root=root,
        methodologies=methodologies,
        purpose=purpose,
        settle_days=settle_days,
        decided_because=decided_because,
        pooled_at=at,
        leaf_id=leaf_id,
    )
    _keep_members(pool, members=members, adjustments=adjustments, exceptions=exceptions)
    _keep_contributions(pool, parts=parts, secret=secret)
    return pool


def _contributed(parts: Sequence[Part]) -> dict[str, object]:
    """Return what the public log says of the contributions: their root, how many people, how many grams."""
    return {
        "root": contributions_root(part.root for part in parts).hex(),
        "people": sum(part.leaves for part in parts),
        "grams": str(sum(part.grams for part in parts)),
    }


def _parts(members: Sequence[PostingView], *, scenario: str, month: Month, secret: bytes) -> list[Part]:
    """Return the tree over what each person's account got from these postings, one part in memory at a time."""
    journals = sorted(posting.journal_id for posting in members if posting.journal_id is not None)
    leaves = ContributionLeaves(scenario=scenario, month=str(month), secret=secret)
    return list(parts_of(leaves, grams_by_account(journals, size=PART_LEAVES)))


def _keep_contributions(pool: Pool, *, parts: Sequence[Part], secret: bytes) -> None:
    """Write the tree's parts and its secret, from which each person's leaf is made again."""
    PoolContributions.objects.create(
        pool=pool,
        people=sum(part.leaves for part in parts),
        grams=Grams(sum(part.grams for part in parts)),
        root=contributions_root(part.root for part in parts),
        secret=secret.hex(),
    )
    PoolPart.objects.bulk_create(
        [
            PoolPart(
                pool=pool,
                number=number,
                first_account_id=part.first_account,
                last_account_id=part.last_account,
                people=part.leaves,
                grams=Grams(part.grams),
                root=part.root,
            )
            for number, part in enumerate(parts)
        ],
        batch_size=1_000,
    )


def _root(
    members: Sequence[PostingView],
    adjustments: Sequence[MonthAdjustment],
    exceptions: Sequence[MonthException],
) -> str:
    """Return the root over the postings' hashes, then those of what was changed since."""
    changed = [one.results_sha256 for one in adjustments] + [one.records_sha256 for one in exceptions]
    return pool_root(
        [bytes.fromhex(posting.hash) for posting in members], [bytes.fromhex(one) for one in changed]
    )


def _keep_members(
    pool: Pool,
    *,
    members: Sequence[PostingView],
    adjustments: Sequence[MonthAdjustment],
    exceptions: Sequence[MonthException],
) -> None:
    """Write what the pool counted, so that no posting and no change is counted by another."""
    PoolPosting.objects.bulk_create(
        [
            PoolPosting(
                posting_id=posting.id,
                pool=pool,
                grams=posting.grams,
                posting_hash=bytes.fromhex(posting.hash),
            )
            for posting in members
        ],
        batch_size=5_000,
    )
    PoolAdjustment.objects.bulk_create(
        PoolAdjustment(
            recalculation_id=one.recalculation_id,
            month=one.month,
            pool=pool,
            grams=one.grams,
            results_sha256=bytes.fromhex(one.results_sha256),
        )
        for one in adjustments
    )
    PoolException.objects.bulk_create(
        PoolException(
            exception_run_id=one.run_id,
            month=one.month,
            pool=pool,
            grams=one.grams,
            records_sha256=bytes.fromhex(one.records_sha256),
        )
        for one in exceptions
    )
