"""Reads of admissions of existing programmes (存量账户迁入): for the desk without anybody's name, for a person their own; invariants."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, Sum

from tanpuhui.behaviour.activity.queries import reason_text
from tanpuhui.behaviour.carbon_accounts.domain.admissions import (
    ADMISSION_JOURNAL,
    BUDGET_JOURNAL,
    CLAIM_DAYS_RULE,
    RATE_RULE,
    RETURN_JOURNAL,
    VERDICTS,
    AdmissionState,
    BalanceState,
    budget_account,
    signed_terms,
)
from tanpuhui.behaviour.carbon_accounts.models import (
    AdmissionClaim,
    AdmittedBalance,
    ProgrammeAdmission,
)
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.queries import phone_index_of
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.rulebook.queries import parameter
from tanpuhui.foundation.workflow import queries as workflow

_RUN = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSum:
    """How many balances stand so, and their points."""

    count: int
    points: Points


NOBODY = BalanceSum(count=0, points=Points(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionView:
    """One file of a programme's accounts: counts and terms, nobody's name."""

    id: int
    programme_id: int
    area: str
    as_of: date
    file_sha256: str
    file_name: str
    rows: int
    accepted: int
    state: str
    case_id: int | None
    rate: str
    rate_source: str
    payer: str
    budget: Points | None
    points: Points | None
    received_at: datetime
    opened_at: datetime | None
    claim_until: date | None
    ended_at: datetime | None
    balances: Mapping[str, BalanceSum]
    """By state; a state that nothing is in stands for nobody."""

    def of(self, state: str) -> BalanceSum:
        """Return how many balances are in a state."""
        return self.balances.get(state, NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionOffer:
    """What waits for a person, or what they took over. `shown_grams` is the programme's own figure: history, no reduction of ours."""

    admission_id: int
    programme_id: int
    area: str
    as_of: date
    points: Points
    rate: str
    rate_source: str
    shown_grams: int | None
    member_since: date | None
    claim_until: date | None
    claimed_at: datetime | None
    text_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionTerms:
    """What the rules say now of an admission in an area; None where nobody set it, so that a person decides."""

    rate: str | None
    rate_basis: str
    claim_days: int | None


def admission_terms(*, area: str, at: datetime) -> AdmissionTerms:
    """Return the conversion and the time to accept that hold in an area."""
    rate = parameter(key=RATE_RULE, at=at, scope=area)
    days = parameter(key=CLAIM_DAYS_RULE, at=at, scope=area)
    return AdmissionTerms(
        rate=rate.value,
        rate_basis=rate.basis,
        claim_days=None if days.value is None else int(days.value),
    )


def admissions() -> tuple[AdmissionView, ...]:
    """Return every admission, the latest first."""
    rows = ProgrammeAdmission.objects.order_by("-pk")
    sums = _sums()
    return tuple(_view(row, sums.get(row.pk, {})) for row in rows)


def admission(admission_id: int) -> AdmissionView:
    """Return one admission; raises NotFound."""
    row = ProgrammeAdmission.objects.filter(pk=admission_id).first()
    if row is None:
        raise NotFound(what="存量迁入 programme admission", id=admission_id)
    return _view(row, _sums(admission_id).get(admission_id, {}))


def admission_faults(admission_id: int) -> dict[str, int]:
    """Return how many rows were refused for each reason."""
    rows = AdmittedBalance.objects.filter(admission_id=admission_id).exclude(verdict="")
    return dict(rows.values_list("verdict").annotate(n=Count("number")).order_by("-n", "verdict"))


def admission_report(admission_id: int) -> Iterator[bytes]:
    """Yield the report of a file as CSV in UTF-8: each row's number, verdict and reason; nobody's phone or member id.

    Raises NotFound.
    """
    admission(admission_id)
    yield "\ufeffrow,verdict,reason_zh,reason_en\r\n".encode()
    rows = AdmittedBalance.objects.filter(admission_id=admission_id).order_by("number")
    for number, verdict in rows.values_list("number", "verdict").iterator(chunk_size=20_000):
        line = io.StringIO()
        csv.writer(line).writerow(
            (number, verdict or "ACCEPTED", verdict_text(verdict), verdict_text(verdict, "en"))
        )
        yield line.getvalue().encode()


def verdict_text(verdict: str, locale: str = "zh") -> str:
    """Return the sentence of a row's verdict."""
    if verdict not in VERDICTS:
        return reason_text(verdict, locale)
    zh, en = VERDICTS[verdict]
    return en if locale == "en" else zh


def offers(user_id: int, *, at: datetime) -> tuple[AdmissionOffer, ...]:
    """Return what waits for a person's phone and can still be accepted, the earliest first."""
    index = phone_index_of(user_id)
    if index is None:
        return ()
    rows = AdmittedBalance.objects.select_related("admission").filter(
        phone_index=index, state=BalanceState.WAITING, admission__state=AdmissionState.OPEN
    )
    today = business_day(at)
    return tuple(
        _offer(row, points=Points(row.points or 0))
        for row in rows.order_by("admission_id")
        if row.admission.claim_until is None or row.admission.claim_until >= today
    )


def taken_over(user_id: int) -> tuple[AdmissionOffer, ...]:
    """Return what a person took over from programmes, the latest first."""
    claims = {row.admission_id: row for row in AdmissionClaim.objects.filter(user_id=user_id)}
    rows = AdmittedBalance.objects.select_related("admission").filter(
        pk__in=[(claim.admission_id, claim.number) for claim in claims.values()]
    )
    found = [
        _offer(row, points=claims[row.admission_id].points, claim=claims[row.admission_id]) for row in rows
    ]
    return tuple(sorted(found, key=lambda one: one.admission_id, reverse=True))


def _offer(row: AdmittedBalance, *, points: Points, claim: AdmissionClaim | None = None) -> AdmissionOffer:
    return AdmissionOffer(
        admission_id=row.admission_id,
        programme_id=row.programme_id,
        area=row.area or row.admission.area,
        as_of=row.admission.as_of,
        points=points,
        rate=row.admission.rate,
        rate_source=row.admission.rate_source,
        shown_grams=row.shown_grams,
        member_since=row.member_since,
        claim_until=row.admission.claim_until,
        claimed_at=claim.at if claim is not None else None,
        text_version=claim.text_version if claim is not None else "",
    )


def _sums(admission_id: int | None = None) -> dict[int, dict[str, BalanceSum]]:
    rows = AdmittedBalance.objects.all()
    if admission_id is not None:
        rows = rows.filter(admission_id=admission_id)
    found: dict[int, dict[str, BalanceSum]] = {}
    grouped = rows.values_list("admission_id", "state").annotate(n=Count("number"), points=Sum("points"))
    for number, state, count, points in grouped.order_by("admission_id", "state"):
        found.setdefault(number, {})[state] = BalanceSum(count=count, points=Points(int(points or 0)))
    return found


def _view(row: ProgrammeAdmission, balances: Mapping[str, BalanceSum]) -> AdmissionView:
    return AdmissionView(
        id=row.pk,
        programme_id=row.programme_id,
        area=row.area,
        as_of=row.as_of,
        file_sha256=row.file_sha256,
        file_name=row.file_name,
        rows=row.rows,
        accepted=row.accepted,
        state=row.state,
        case_id=row.case_id,
        rate=row.rate,
        rate_source=row.rate_source,
        payer=row.payer,
        budget=row.budget,
        points=row.points,
        received_at=row.received_at,
        opened_at=row.opened_at,
        claim_until=row.claim_until,
        ended_at=row.ended_at,
        balances=balances,
    )


def admission_breaches() -> Iterator[Breach]:
    """Report admissions whose parts are not the whole, and points or grams that came another way than by an acceptance.

    Admitted = waiting + claimed + declined + lapsed, in number and in points; what is in the budget's account = what was
    set aside less what was claimed and given back, and covers what waits; its terms are those that two persons signed; a claim is what its row and its journal say; no
    journal of an admission moves grams, so that a programme's grams cannot be counted or pooled as reductions.
    """
    sums = _sums()
    for row in ProgrammeAdmission.objects.order_by("pk"):
        view = _view(row, sums.get(row.pk, {}))
        yield from _row_breaches(view)
        if row.opened_at is not None:
            yield from _term_breaches(view)
            yield from _open_breaches(view)
    yield from _claim_breaches()
    yield from _gram_breaches()


def _row_breaches(view: AdmissionView) -> Iterator[Breach]:
    total = sum(one.count for one in view.balances.values())
    taken = total - view.of(BalanceState.REFUSED).count
    if (total, taken) != (view.rows, view.accepted):
        detail = f"{view.rows} rows, {view.accepted} accepted; there are {total} and {taken}"
        yield Breach("carbon_accounts.admission_is_its_rows", f"programme_admission:{view.id}", detail)


def _term_breaches(view: AdmissionView) -> Iterator[Breach]:
    """Hold the terms by which balances were opened to those that one person signed and another approved."""
    taken = workflow.timeline(view.case_id) if view.case_id is not None else ()
    signed = [line.values for line in taken if line.outcome == "propose"]
    budget = 0 if view.budget is None else view.budget.value
    terms = signed_terms(rate=view.rate, rate_source=view.rate_source, budget=budget, payer=view.payer)
    if not taken or taken[-1].outcome != "approve" or signed != [terms]:
        detail = "its terms are not those that were signed and approved on its case"
        yield Breach("carbon_accounts.admitted_as_signed", f"programme_admission:{view.id}", detail)


def _open_breaches(view: AdmissionView) -> Iterator[Breach]:
    subject = f"programme_admission:{view.id}"
    waiting, declined = view.of(BalanceState.WAITING), view.of(BalanceState.DECLINED)
    lapsed = view.of(BalanceState.LAPSED)
    claims = AdmissionClaim.objects.filter(admission_id=view.id).aggregate(
        n=Count("number"), points=Sum("points")
    )
    claimed = Points(int(claims["points"] or 0))
    count = waiting.count + declined.count + lapsed.count + claims["n"]
    points = waiting.points + declined.points + lapsed.points + claimed
    if count != view.accepted or points != view.points:
        detail = f"{view.accepted} balances of {view.points} points; waiting, claimed, declined and lapsed are {count} of {points}"
        yield Breach("carbon_accounts.admitted_is_accounted_for", subject, detail)
    account = ledger.system_total(budget_account(view.id)).points
    wanted = Points(0) if view.ended_at is not None else (view.budget or Points(0)) - claimed
    if account != wanted or account < waiting.points:
        detail = f"the budget holds {account} points, {wanted} are not claimed and {waiting.points} wait"
        yield Breach("carbon_accounts.admission_within_budget", subject, detail)


def _claim_breaches() -> Iterator[Breach]:
    """Hold every claim to its row and its journal, a run of claims at a time."""
    claims = AdmissionClaim.objects.order_by("admission_id", "number").values_list(
        "admission_id", "number", "points", "journal_id"
    )
    run: list[tuple[int, int, Points, int | None]] = []
    for claim in claims.iterator(chunk_size=_RUN):
        run.append(claim)
        if len(run) == _RUN:
            yield from _run_breaches(run)
            run = []
    yield from _run_breaches(run)
    with connection.cursor() as cursor:
        cursor.execute(
            "select b.admission_id, b.number from carbon_admitted_balance b where b.state = 'claimed' and not exists"
            " (select from carbon_admission_claim c where (c.admission_id, c.number) = (b.admission_id, b.number))"
        )
        unclaimed = cursor.fetchall()
    for admission_id, number in unclaimed:
        detail = "the row is claimed and nobody claimed it"
        yield Breach(
            "carbon_accounts.claimed_as_credited", f"admission_claim:{admission_id}/{number}", detail
        )


def _run_breaches(run: list[tuple[int, int, Points, int | None]]) -> Iterator[Breach]:
    journals = ledger.journals([journal for *_, journal in run if journal is not None])
    rows = {
        (admission_id, number): (state, points)
        for admission_id, number, state, points in AdmittedBalance.objects.filter(
            pk__in=[(admission_id, number) for admission_id, number, *_ in run]
        ).values_list("admission_id", "number", "state", "points")
    }
    for admission_id, number, points, journal_id in run:
        journal = journals.get(journal_id) if journal_id is not None else None
        booked = journal is not None and (
            (journal.kind, journal.reference, journal.points)
            == (ADMISSION_JOURNAL, f"{admission_id}:{number}", points)
        )
        right = booked if points else journal_id is None
        if not right or rows.get((admission_id, number)) != (BalanceState.CLAIMED.value, points.value):
            detail = f"{points} points are not what the row and its journal say"
            yield Breach(
                "carbon_accounts.claimed_as_credited", f"admission_claim:{admission_id}/{number}", detail
            )


def _gram_breaches() -> Iterator[Breach]:
    for kind in (ADMISSION_JOURNAL, BUDGET_JOURNAL, RETURN_JOURNAL):
        for journal in ledger.journals_with_grams(kind):
            detail = f"{kind} moves {journal.grams} g; grams of a programme are no reductions"
            yield Breach("carbon_accounts.no_grams_admitted", f"journal:{journal.id}", detail)
