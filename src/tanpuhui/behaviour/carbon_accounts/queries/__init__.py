"""Reads for the person (home, statement, explanation) and for the operator (pools), and the invariants of pools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordExplanation, RecordView
from tanpuhui.behaviour.carbon_accounts.domain import (
    CERTIFIABLE_EVIDENCE_TIERS,
    LEDGER_OWNER,
    AppealState,
    NoCarbonAccount,
    pool_root,
    same_day_of_previous_month,
)
from tanpuhui.behaviour.carbon_accounts.domain.disownings import DisowningState
from tanpuhui.behaviour.carbon_accounts.models import (
    CarbonAccount,
    Pool,
    PoolAdjustment,
    PoolException,
)
from tanpuhui.behaviour.carbon_accounts.queries._admissions import (
    AdmissionOffer,
    AdmissionTerms,
    AdmissionView,
    BalanceSum,
    admission,
    admission_breaches,
    admission_faults,
    admission_report,
    admission_terms,
    admissions,
    offers,
    taken_over,
    verdict_text,
)
from tanpuhui.behaviour.carbon_accounts.queries._appeals import (
    AppealView,
    appeal,
    appeal_breaches,
    appealed_record,
    appeals_of_user,
)
from tanpuhui.behaviour.carbon_accounts.queries._contributions import (
    ContributionView,
    contribution_breaches,
    contributions,
    pool_inclusion,
)
from tanpuhui.behaviour.carbon_accounts.queries._disownings import (
    DisowningView,
    disowning,
    disowning_breaches,
    disownings_of_user,
)
from tanpuhui.behaviour.carbon_accounts.queries._freezes import (
    FreezeAppealView,
    FreezeChangeView,
    FreezeView,
    freeze_appeal,
    freeze_appeal_until,
    freeze_breaches,
    freeze_change,
    freeze_of_account,
    freeze_of_user,
    freeze_proposed,
    freezes,
)
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.queries import Balance, EntryView, PointsLot
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import Month, business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Tonnes
from tanpuhui.foundation.rulebook.queries import parameter

__all__ = [
    "LEDGER_OWNER",
    "AdmissionOffer",
    "AdmissionTerms",
    "AdmissionView",
    "AppealState",
    "AppealView",
    "BalanceSum",
    "CarbonAccountView",
    "ContributionView",
    "DisowningState",
    "DisowningView",
    "FreezeAppealView",
    "FreezeChangeView",
    "FreezeView",
    "HomeView",
    "LineView",
    "NoCarbonAccount",
    "PointsHeld",
    "PoolView",
    "Statement",
    "StatementDay",
    "account_of_user",
    "accounts_of_users",
    "admission",
    "admission_faults",
    "admission_report",
    "admission_terms",
    "admissions",
    "appeal",
    "appealed_record",
    "appeals_of_user",
    "breaches",
    "contributions",
    "disowning",
    "disownings_of_user",
    "explanation",
    "freeze_appeal",
    "freeze_appeal_until",
    "freeze_change",
    "freeze_of_account",
    "freeze_of_user",
    "freeze_proposed",
    "freezes",
    "home",
    "line",
    "lines",
    "offers",
    "points_held",
    "pool",
    "pool_inclusion",
    "pools",
    "statement",
    "taken_over",
    "verdict_text",
]

RECENT_DAYS = 31
RECENT_RECORDS_MAX = 20
EXPIRING_SOON_DAYS = 30
_THE_BEGINNING = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonAccountView:
    """A person's carbon account."""

    id: int
    number: str
    user_id: int
    ledger_account_id: int
    area: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """What a person sees first: all-time grams and points, this month, the month before up to the same day."""

    account: CarbonAccountView
    grams: Grams
    points: Points
    month_grams: Grams
    previous_month_grams: Grams
    lots: tuple[PointsLot, ...]
    expiring: tuple[PointsLot, ...]
    recent: tuple[RecordView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDay:
    """One business day of a statement: its lines, its sums, and the balances at its end."""

    day: date
    lines: tuple[EntryView, ...]
    grams: Grams
    points: Points
    balance_grams: Grams
    balance_points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A month of an account (对账单): opening + the days = closing, by business day."""

    account: CarbonAccountView
    month: Month
    opening: Balance
    days: tuple[StatementDay, ...]
    closing: Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One line of an account and what it held after it."""

    entry: EntryView
    balance_grams: Grams
    balance_points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsHeld:
    """A person's points by day of credit, the oldest first (积分批次); `validity_days` is None where points do not lapse."""

    points: Points
    lots: tuple[PointsLot, ...]
    validity_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """A pool (归集): grams counted (`adjusted` of them by recalculations), carried in, whole tonnes and remainder; `purpose` other than operation is shown."""

    id: int
    scenario: str
    month: str
    first_day: date
    last_day: date
    postings: int
    adjusted: Grams
    grams: Grams
    carried_in: Grams
    tonnes: Tonnes
    remainder: Grams
    root: str
    methodologies: tuple[str, ...]
    purpose: str
    settle_days: int | None
    decided_because: str
    pooled_at: datetime
    leaf_id: int


def account_of_user(user_id: int) -> CarbonAccountView:
    """Return a person's carbon account; raises NoCarbonAccount."""
    found = accounts_of_users([user_id]).get(user_id)
    if found is None:
        raise NoCarbonAccount
    return found


def accounts_of_users(user_ids: Sequence[int]) -> dict[int, CarbonAccountView]:
    """Return the carbon accounts of those people who have one, by user."""
    return {
        row.user_id: CarbonAccountView(
            id=row.pk,
            number=row.number,
            user_id=row.user_id,
            ledger_account_id=row.ledger_account_id,
            area=row.area,
            opened_at=row.opened_at,
        )
        for row in CarbonAccount.objects.filter(user_id__in=set(user_ids))
    }


def home(user_id: int, *, at: datetime) -> HomeView:
    """Return what a person sees first, as of the business day of `at`; raises NoCarbonAccount."""
    account = account_of_user(user_id)
    today = business_day(at)
    number = account.ledger_account_id
    held = ledger.balance(number)
    earlier_first, earlier_last = same_day_of_previous_month(today)
    lots = points_held(user_id, at=at).lots
    soon = today + timedelta(days=EXPIRING_SOON_DAYS)
    recent = activity.records_of_account(
        account_id=number, first_day=today - timedelta(days=RECENT_DAYS), last_day=today
    )
    return HomeView(
        account=account,
        grams=held.grams,
        points=held.points,
        month_grams=ledger.totals(number, first_day=today.replace(day=1), last_day=today).grams,
        previous_month_grams=ledger.totals(number, first_day=earlier_first, last_day=earlier_last).grams,
        lots=lots,
        expiring=tuple(lot for lot in lots if lot.expires_on is not None and lot.expires_on <= soon),
        recent=recent[:RECENT_RECORDS_MAX],
    )


def statement(user_id: int, month: Month) -> Statement:
    """Return a month of a person's account with running balances by business day; raises NoCarbonAccount."""
    account = account_of_user(user_id)
    number = account.ledger_account_id
    before = month.first_day - timedelta(days=1)
    opening = ledger.totals(number, first_day=_THE_BEGINNING, last_day=before)
    grams, points, fen = opening.grams, opening.points, opening.fen
    days = []
    lines = ledger.entries_of_days(number, first_day=month.first_day, last_day=month.last_day)
    for day, group in groupby(lines, key=lambda line: line.day):
        of_day = tuple(group)
        day_grams = Grams.total(line.grams for line in of_day)
        day_points = Points.total(line.points for line in of_day)
        grams, points = grams + day_grams, points + day_points
        fen = fen + Fen.total(line.fen for line in of_day)
        days.append(
            StatementDay(
                day=day,
                lines=of_day,
                grams=day_grams,
                points=day_points,
                balance_grams=grams,
                balance_points=points,
            )
        )
    closing = Balance(grams=grams, points=points, fen=fen)
    return Statement(account=account, month=month, opening=opening, days=tuple(days), closing=closing)


def line(user_id: int, *, day: date, journal_id: int) -> EntryView:
    """Return one line of a person's own account; raises NoCarbonAccount, NotFound for anybody else's."""
    number = account_of_user(user_id).ledger_account_id
    of_day = ledger.entries_of_days(number, first_day=day, last_day=day)
    found = next((entry for entry in of_day if entry.journal_id == journal_id), None)
    if found is None:
        raise NotFound(what="流水 line", id=f"{day}/{journal_id}")
    return found


def lines(user_id: int, *, first_day: date, last_day: date) -> tuple[LineView, ...]:
    """Return a person's lines from first to last day (both included), the earliest first, with the balance after each."""
    number = account_of_user(user_id).ledger_account_id
    opening = ledger.totals(number, first_day=_THE_BEGINNING, last_day=first_day - timedelta(days=1))
    grams, points = opening.grams, opening.points
    found = []
    for entry in ledger.entries_of_days(number, first_day=first_day, last_day=last_day):
        grams, points = grams + entry.grams, points + entry.points
        found.append(LineView(entry=entry, balance_grams=grams, balance_points=points))
    return tuple(found)


def points_held(user_id: int, *, at: datetime) -> PointsHeld:
    """Return a person's open points and the last day of each lot, by the rule in force at `at`; raises NoCarbonAccount."""
    number = account_of_user(user_id).ledger_account_id
    rule = parameter(key="points.validity_days", at=at)
    validity = None if rule.value is None else int(rule.value)
    lots = ledger.points_lots(number, validity_days=validity)
    return PointsHeld(points=Points.total(lot.points for lot in lots), lots=lots, validity_days=validity)


def explanation(user_id: int, *, posting_id: int, row: int, locale: str = "zh") -> RecordExplanation:
    """Return why one of a person's own records gave so many grams.

    Raises NoCarbonAccount; RecordNotFound where the record is not in this person's account.
    """
    account = account_of_user(user_id)
    return activity.explain_record(
        posting_id=posting_id, account_id=account.ledger_account_id, row=row, locale=locale
    )


def pools(*, scenario: str | None = None) -> tuple[PoolView, ...]:
    """Return the pools, the latest month first, of one scenario if given."""
    rows = Pool.objects.prefetch_related("adjustments", "exceptions").order_by("-month", "scenario")
    if scenario is not None:
        rows = rows.filter(scenario=scenario)
    return tuple(_pool_view(row) for row in rows)


def pool(pool_id: int) -> PoolView:
    """Return one pool; raises NotFound."""
    row = Pool.objects.filter(pk=pool_id).first()
    if row is None:
        raise NotFound(what="归集 pool", id=pool_id)
    return _pool_view(row)


def breaches() -> Iterator[Breach]:
    """Report what should never be of accounts, pools, freezes, appeals and admissions.

    Pools that count more than was credited, do not add up or carry on; accounts without a ledger account; freezes that nobody
    decided; appeals without effect; admissions that do not add up.
    House plan section 6, invariant 4.
    """
    for row in Pool.objects.select_related("previous").order_by("scenario", "month").iterator(chunk_size=100):
        yield from _pool_breaches(row)
    yield from _account_breaches()
    yield from freeze_breaches()
    yield from appeal_breaches()
    yield from disowning_breaches()
    yield from contribution_breaches()
    yield from admission_breaches()


def _pool_breaches(row: Pool) -> Iterator[Breach]:
    subject = f"pool:{row.pk}"
    members = list(row.members.order_by("posting_id"))
    credited = {
        posting.id: posting
        for posting in activity.postings_of_scenario(
            scenario=row.scenario, through_month=Month.parse(row.month)
        )
        if posting.evidence_tier in CERTIFIABLE_EVIDENCE_TIERS
    }
    adjustments = list(row.adjustments.order_by("recalculation_id", "month"))
    exceptions = list(row.exceptions.order_by("exception_run_id", "month"))
    counted = (
        Grams.total(one.grams for one in members)
        + Grams.total(one.grams for one in adjustments)
        + Grams.total(one.grams for one in exceptions)
    )
    if counted != row.grams or len(members) != row.postings:
        detail = f"{row.grams} g of {row.postings} postings, members and adjustments have {counted} g, postings are {len(members)}"
        yield Breach("carbon_accounts.pool_is_its_postings", subject, detail)
    for member in members:
        posting = credited.get(member.posting_id)
        if (
            posting is None
            or posting.grams != member.grams
            or posting.hash != bytes(member.posting_hash).hex()
        ):
            detail = f"posting {member.posting_id} is not there as it was pooled ({member.grams} g)"
            yield Breach("carbon_accounts.pooled_within_credited", subject, detail)
    yield from _adjustment_breaches(row, adjustments)
    yield from _exception_breaches(row, exceptions)
    root = pool_root(
        [bytes(member.posting_hash) for member in members],
        [
            *(bytes(one.results_sha256) for one in adjustments),
            *(bytes(one.records_sha256) for one in exceptions),
        ],
    )
    if root != row.root:
        yield Breach("carbon_accounts.pool_root", subject, "the root is not that of its postings")
    carried = row.previous.remainder if row.previous is not None else Grams(0)
    if carried != row.carried_in or (row.previous is not None and row.previous.scenario != row.scenario):
        detail = f"carried in {row.carried_in} g, the pool before left {carried} g"
        yield Breach("carbon_accounts.remainder_is_carried", subject, detail)
    if row.tonnes.value * 1_000_000 + row.remainder.value != row.grams.value + row.carried_in.value:
        yield Breach("carbon_accounts.pool_adds_up", subject, f"{row.tonnes} t and {row.remainder} g")


def _adjustment_breaches(row: Pool, adjustments: Sequence[PoolAdjustment]) -> Iterator[Breach]:
    changed = {
        (one.recalculation_id, one.month): (one.grams, one.results_sha256)
        for one in activity.month_adjustments(
            scenario=row.scenario,
            through_month=Month.parse(row.month),
            evidence_tiers=sorted(CERTIFIABLE_EVIDENCE_TIERS),
        )
    }
    for one in adjustments:
        if changed.get((one.recalculation_id, one.month)) != (one.grams, bytes(one.results_sha256).hex()):
            detail = f"recalculation {one.recalculation_id} of {one.month} did not change {one.grams} g"
            yield Breach("carbon_accounts.adjusted_as_recalculated", f"pool:{row.pk}", detail)


def _exception_breaches(row: Pool, exceptions: Sequence[PoolException]) -> Iterator[Breach]:
    changed = {
        (one.run_id, one.month): (one.grams, one.records_sha256)
        for one in activity.month_exceptions(
            scenario=row.scenario,
            through_month=Month.parse(row.month),
            evidence_tiers=sorted(CERTIFIABLE_EVIDENCE_TIERS),
        )
    }
    for one in exceptions:
        if changed.get((one.exception_run_id, one.month)) != (one.grams, bytes(one.records_sha256).hex()):
            detail = f"exceptions {one.exception_run_id} of {one.month} did not change {one.grams} g"
            yield Breach("carbon_accounts.adjusted_as_excepted", f"pool:{row.pk}", detail)


def _account_breaches() -> Iterator[Breach]:
    numbers = dict(CarbonAccount.objects.values_list("user_id", "ledger_account_id"))
    known = ledger.accounts_of(owner_type=LEDGER_OWNER, owner_ids=list(numbers))
    for user_id, account_id in sorted(numbers.items()):
        if known.get(user_id) != account_id:
            detail = f"ledger account {account_id} is not this person's"
            yield Breach("carbon_accounts.account_has_its_ledger_account", f"user:{user_id}", detail)


def _pool_view(row: Pool) -> PoolView:
    return PoolView(
        id=row.pk,
        scenario=row.scenario,
        month=row.month,
        first_day=row.first_day,
        last_day=row.last_day,
        postings=row.postings,
        adjusted=Grams.total(one.grams for one in row.adjustments.all())
        + Grams.total(one.grams for one in row.exceptions.all()),
        grams=row.grams,
        carried_in=row.carried_in,
        tonnes=row.tonnes,
        remainder=row.remainder,
        root=row.root,
        methodologies=tuple(row.methodologies),
        purpose=row.purpose,
        settle_days=row.settle_days,
        decided_because=row.decided_because,
        pooled_at=row.pooled_at,
        leaf_id=row.leaf_id,
    )
