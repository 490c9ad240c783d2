"""Reads of intake: batches and their reports, records out of chunks, explanations, postings, invariants."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from tanpuhui.behaviour.activity.adapters.chunks import AMOUNTS, TRACES, decode_payload
from tanpuhui.behaviour.activity.adapters.recalculation import recalculated_differences
from tanpuhui.behaviour.activity.adapters.rows import batch_view, outcome_view, posting_content, posting_view
from tanpuhui.behaviour.activity.domain import (
    GENESIS,
    BatchNotFound,
    RecordNotFound,
    Verdict,
    neutral_cell,
    payload_root,
    posting_hash,
    reason_text,
    rows_to_mend,
)
from tanpuhui.behaviour.activity.domain.views import (
    BatchReport,
    BatchView,
    FeedView,
    OutcomeView,
    PostingView,
    RecordExplanation,
    RecordView,
    Resent,
    ScenarioView,
)
from tanpuhui.behaviour.activity.models import Batch, Feed, Posting, RowOutcome, Scenario
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import CHINA, Month
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.engine.explanation import explain
from tanpuhui.science.methodology import queries as methodology

__all__ = [
    "BatchReport",
    "BatchView",
    "FeedView",
    "OutcomeView",
    "PostingView",
    "RecordExplanation",
    "RecordView",
    "Resent",
    "ScenarioView",
    "batch",
    "batch_report",
    "batch_report_csv",
    "batches",
    "breaches",
    "explain_record",
    "feeds",
    "posting",
    "postings",
    "postings_of_scenario",
    "record",
    "records_of_account",
    "resent_since_asked",
    "rows_to_mend",
    "scenario",
    "scenarios",
]

OUTCOMES_SHOWN_MAX = 1_000


def scenarios() -> tuple[ScenarioView, ...]:
    """Return the open scenarios by code."""
    return tuple(
        ScenarioView(id=row.pk, code=row.code, name_zh=row.name_zh, name_en=row.name_en, area=row.area)
        for row in Scenario.objects.order_by("code")
    )


def scenario(code: str) -> ScenarioView:
    """Return one scenario; raises NotFound."""
    found = next((view for view in scenarios() if view.code == code), None)
    if found is None:
        raise NotFound(what="场景 scenario", id=code)
    return found


def feeds(*, partner_id: int | None = None) -> tuple[FeedView, ...]:
    """Return the open feeds, of one partner if given."""
    rows = Feed.objects.select_related("scenario").order_by("partner_id", "scenario__code", "adapter")
    if partner_id is not None:
        rows = rows.filter(partner_id=partner_id)
    return tuple(
        FeedView(
            id=row.pk,
            partner_id=row.partner_id,
            scenario=row.scenario.code,
            adapter=row.adapter,
            evidence_tier=row.evidence_tier,
        )
        for row in rows
    )


def batch(batch_id: int) -> BatchView:
    """Return one batch; raises BatchNotFound."""
    return batch_view(_batch(batch_id))


def batches(*, partner_id: int | None = None, limit: int = 100) -> tuple[BatchView, ...]:
    """Return batches, the latest first, of one partner if given."""
    rows = Batch.objects.order_by("-id")
    if partner_id is not None:
        rows = rows.filter(partner_id=partner_id)
    return tuple(batch_view(row) for row in rows[:limit])


def resent_since_asked(*, partner_id: int, case_id: int) -> Resent:
    """Return what a partner has sent since a correction case last asked them: when it opened, or was returned."""
    asked_at = max(line.at for line in workflow.timeline(case_id) if line.outcome in {"open", "return"})
    rows = Batch.objects.filter(partner_id=partner_id, received_at__gt=asked_at).order_by("received_at", "id")
    return Resent(asked_at=asked_at, batches=tuple(batch_view(row) for row in rows))


def batch_report(batch_id: int, *, after_row: int = 0, limit: int = OUTCOMES_SHOWN_MAX) -> BatchReport:
    """Return the report of a batch with the outcomes after a row number; raises BatchNotFound."""
    row = _batch(batch_id)
    outcomes = RowOutcome.objects.filter(batch_id=batch_id)
    shown = outcomes.filter(row_number__gt=after_row).order_by("row_number")[:limit]
    fault = row.report.get("fault") or {}
    return BatchReport(
        batch=batch_view(row),
        reasons=row.report.get("reasons", {}),
        fault=fault.get("code", ""),
        fault_at=fault.get("at", ""),
        posting_ids=tuple(row.report.get("postings", ())),
        outcomes=tuple(outcome_view(outcome) for outcome in shown),
        outcomes_total=outcomes.count(),
    )


def batch_report_csv(batch_id: int, *, locale: str = "zh") -> Iterator[str]:
    """Yield the rows that were not counted in full as CSV lines, in which no spreadsheet finds a formula.

    Raises BatchNotFound.
    """
    _batch(batch_id)
    yield _csv_line(("row_number", "verdict", "reason", "field", "value", "text"))
    for outcome in (
        RowOutcome.objects.filter(batch_id=batch_id).order_by("row_number").iterator(chunk_size=5_000)
    ):
        cells = (
            outcome.verdict,
            outcome.reason,
            outcome.field,
            outcome.value,
            reason_text(outcome.reason, locale),
        )
        yield _csv_line((str(outcome.row_number), *(neutral_cell(cell) for cell in cells)))


def posting(posting_id: int) -> PostingView:
    """Return one posting; raises NotFound."""
    return posting_view(_posting(posting_id))


def postings_of_scenario(*, scenario: str, through_month: Month) -> tuple[PostingView, ...]:
    """Return the postings of a scenario up to and including a month, in posting order."""
    rows = Posting.objects.filter(scenario=scenario, month__lte=str(through_month)).order_by("id")
    return tuple(posting_view(row) for row in rows)


def postings(*, batch_id: int) -> tuple[PostingView, ...]:
    """Return the postings of a batch in posting order."""
    return tuple(posting_view(row) for row in Posting.objects.filter(batch_id=batch_id).order_by("id"))


def records_of_account(*, account_id: int, first_day: date, last_day: date) -> tuple[RecordView, ...]:
    """Return an account's counted records of the days (both included), the latest activity first.

    Only chunks of postings of these months and of the account's bucket are read.
    """
    months = (str(Month.of(first_day)), str(Month.of(last_day)))
    found: list[RecordView] = []
    for row, amounts, traces in _chunks_of(account_id, "p.month between %s and %s", months):
        found.extend(
            view
            for view in _records(row, amounts, traces, account_id=account_id)
            if first_day <= view.day <= last_day
        )
    found.sort(
        key=lambda view: (view.day, view.started_at or datetime.min.replace(tzinfo=UTC), view.row),
        reverse=True,
    )
    return tuple(found)


def record(*, posting_id: int, account_id: int, row: int) -> RecordView:
    """Return one counted record of an account; raises RecordNotFound."""
    for found, amounts, traces in _chunks_of(account_id, "p.id = %s", (posting_id,)):
        for view in _records(found, amounts, traces, account_id=account_id):
            if view.row == row:
                return view
    raise RecordNotFound(posting_id=posting_id, row=row)


def explain_record(*, posting_id: int, account_id: int, row: int, locale: str = "zh") -> RecordExplanation:
    """Return why a record gave so many grams, from its stored inputs, version, allowance and points rule.

    Raises RecordNotFound; the methodology's refusals where its bytes are not those that were filed.
    """
    view = record(posting_id=posting_id, account_id=account_id, row=row)
    found = _posting(posting_id)
    version = methodology.loaded(found.methodology_version_id)
    counted = version.cap is not None and version.cap.quantity == "count"
    explanation = explain(version, view.values, locale=locale, granted=None if counted else view.granted)
    rule: Mapping[str, str] = next(
        (
            rule
            for rule in found.points_rules
            if rule["first_day"] <= view.day.isoformat() <= rule["last_day"]
        ),
        {},
    )
    return RecordExplanation(
        record=view, posting=posting_view(found), explanation=explanation, points_rule=rule
    )


def breaches() -> Iterator[Breach]:
    """Report what should never be: counts, chains, payloads, keys, entries, and grams that cannot be had again."""
    yield from _count_breaches()
    yield from _chain_breaches()
    yield from _key_breaches()
    for row in Posting.objects.order_by("id").iterator(chunk_size=100):
        yield from _chunk_breaches(row)


def _count_breaches() -> Iterator[Breach]:
    """Every row of a settled batch has one verdict, and what the report counts stands in the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            with said as (
              select b.id, (b.report->>'rows')::bigint as n, (v->>'counted')::bigint + (v->>'clipped')::bigint as good,
                (v->>'paired')::bigint + (v->>'duplicate')::bigint + (v->>'rejected')::bigint
                  + (v->>'pending')::bigint as other
              from activity_batch b cross join lateral (select b.report->'verdicts' as v) x where b.state <> 'received'
            )
            select id, n, good, other,
              (select coalesce(sum(records), 0)::bigint from activity_posting p where p.batch_id = said.id) as posted,
              (select count(*) from activity_row_outcome o where o.batch_id = said.id) as noted
            from said order by id
            """
        )
        for batch_id, rows, good, other, posted, noted in cursor.fetchall():
            if rows != good + other or good != posted or other != noted:
                detail = f"rows {rows}; counted {good}, in postings {posted}; others {other}, noted {noted}"
                yield Breach(invariant="activity.counts_add_up", subject=f"batch:{batch_id}", detail=detail)


def _chain_breaches() -> Iterator[Breach]:
    """Each posting follows the partner's last, and its hash is that of what it says."""
    last: dict[int, bytes] = {}
    rows: QuerySet[Posting] = Posting.objects.select_related("batch").order_by("id")
    for row in rows.iterator(chunk_size=500):
        expected = last.get(row.partner_id, GENESIS)
        subject = f"posting:{row.pk}"
        if bytes(row.prev_hash) != expected:
            yield Breach(
                invariant="activity.postings_form_a_chain", subject=subject,
                detail=f"follows {bytes(row.prev_hash).hex()}, the partner's last is {expected.hex()}",
            )  # fmt: skip
        actual = posting_hash(posting_content(row), bytes(row.prev_hash))
        if actual != bytes(row.hash):
            yield Breach(
                invariant="activity.posting_has_its_hash", subject=subject,
                detail=f"content gives {actual.hex()}, stored {bytes(row.hash).hex()}",
            )  # fmt: skip
        last[row.partner_id] = bytes(row.hash)


def _key_breaches() -> Iterator[Breach]:
    """A key stands once per partner and day, and a posting has as many keys as records."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select partner_id, day, count(*) from (
              select s.partner_id, s.day, substr(s.keys, 16 * i + 1, 16) as key
              from activity_key_segment s cross join lateral generate_series(0, length(s.keys) / 16 - 1) as i
              group by 1, 2, 3 having count(*) > 1
            ) twice group by 1, 2 order by 1, 2
            """
        )
        for partner_id, day, n in cursor.fetchall():
            yield Breach(
                invariant="activity.record_counts_once",
                subject=f"partner:{partner_id} day:{day}",
                detail=f"{n} keys stand twice",
            )
        cursor.execute(
            """
            select p.id, p.records, coalesce(sum(s.n_keys), 0), coalesce(sum(length(s.keys)) / 16, 0)
            from activity_posting p left join activity_key_segment s on s.posting_id = p.id
            group by p.id having p.records <> coalesce(sum(s.n_keys), 0)
              or coalesce(sum(s.n_keys), 0) <> coalesce(sum(length(s.keys)) / 16, 0) order by p.id
            """
        )
        for posting_id, records, n, held in cursor.fetchall():
            yield Breach(
                invariant="activity.record_has_its_key", subject=f"posting:{posting_id}",
                detail=f"records {records}, keys {n}, held {held}",
            )  # fmt: skip


def _chunk_breaches(row: Posting) -> Iterator[Breach]:
    """Payloads have their hashes, sums are those of the entries, and the stored version gives the grams again."""
    subject = f"posting:{row.pk}"
    with connection.cursor() as cursor:
        cursor.execute(
            "select bucket, amounts, traces, amounts_sha256, traces_sha256 from activity_record_chunk "
            "where posting_id = %s order by bucket",
            [row.pk],
        )
        chunks = [(b, bytes(a), bytes(t), bytes(ah), bytes(th)) for b, a, t, ah, th in cursor.fetchall()]
    sound = True
    for bucket, amounts, traces, amounts_sha256, traces_sha256 in chunks:
        erased = not traces
        if hashlib.sha256(amounts).digest() != amounts_sha256 or (
            not erased and hashlib.sha256(traces).digest() != traces_sha256
        ):
            sound = False
            yield Breach(
                invariant="activity.chunk_has_its_hash",
                subject=f"{subject} bucket:{bucket}",
                detail="payload changed",
            )
    roots = (payload_root(chunk[3] for chunk in chunks), payload_root(chunk[4] for chunk in chunks))
    if roots != (bytes(row.amounts_sha256), bytes(row.traces_sha256)):
        sound = False
        yield Breach(
            invariant="activity.posting_commits_to_its_chunks", subject=subject,
            detail=f"chunks give {roots[0].hex()}, stored {bytes(row.amounts_sha256).hex()}",
        )  # fmt: skip
    if sound and chunks:
        tables = [
            (decode_payload(amounts), decode_payload(traces) if traces else None)
            for _, amounts, traces, _, _ in chunks
        ]
        yield from _entry_breaches(row, [amounts for amounts, _ in tables])
        version = methodology.loaded(row.methodology_version_id)
        for detail in recalculated_differences(version, tables):
            yield Breach(
                invariant="activity.recalculation_gives_the_same_grams", subject=subject, detail=detail
            )


def _entry_breaches(row: Posting, tables: Sequence[Any]) -> Iterator[Breach]:
    """The ledger's entries of a posting are the sums of its chunks, account-day by account-day."""
    sums: dict[tuple[int, date], tuple[int, int]] = {}
    for table in tables:
        columns = (table.column(name).to_pylist() for name in ("account_id", "day", "grams", "floor_g"))
        for account_id, day, grams, floor_g in zip(*columns, strict=True):
            held, n = sums.get((account_id, day), (0, 0))
            sums[account_id, day] = (held + grams + floor_g, n + 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "select e.account_id, e.day, e.grams, e.n_records from ledger_entry e "
            "join ledger_account a on a.id = e.account_id where e.journal_id = %s and a.system_code is null",
            [row.journal_id],
        )
        entries = {(account_id, day): (grams, n) for account_id, day, grams, n in cursor.fetchall()}
    for key in sorted(sums.keys() | entries.keys()):
        if sums.get(key) != entries.get(key):
            yield Breach(
                invariant="activity.entries_are_the_sums_of_chunks",
                subject=f"posting:{row.pk} account:{key[0]} day:{key[1]}",
                detail=f"chunks (grams, records) {sums.get(key)}, entry {entries.get(key)}",
            )


def _chunks_of(
    account_id: int, condition: str, values: Sequence[int | str]
) -> Iterator[tuple[Posting, bytes, bytes]]:
    """Yield the chunks of an account's bucket in the postings that meet a condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.posting_id, c.amounts, c.traces from activity_posting p join activity_record_chunk c "
            f"on c.posting_id = p.id and c.bucket = %s %% p.chunks where {condition} order by p.id",
            [account_id, *values],
        )
        found = cursor.fetchall()
    rows = Posting.objects.in_bulk([posting_id for posting_id, _, _ in found])
    for posting_id, amounts, traces in found:
        yield rows[posting_id], bytes(amounts), bytes(traces)


def _records(row: Posting, amounts: bytes, traces: bytes, *, account_id: int) -> Iterator[RecordView]:
    """Yield an account's records out of one chunk; accounts stand sorted, so only its slice is turned into Python."""
    table = decode_payload(amounts)
    column = table.column("account_id").to_numpy()
    start, end = (int(column.searchsorted(account_id, side)) for side in ("left", "right"))
    kept = decode_payload(traces).slice(start, end - start).to_pylist() if traces else [{}] * (end - start)
    for item, trace in zip(table.slice(start, end - start).to_pylist(), kept, strict=True):
        values = {name: value for name, value in item.items() if name not in AMOUNTS}
        values |= {name: value for name, value in trace.items() if name not in TRACES}
        yield RecordView(
            posting_id=row.pk,
            row=item["row"],
            account_id=account_id,
            day=item["day"],
            scenario=row.scenario,
            area=item["area"],
            verdict=Verdict(item["verdict"]),
            variant=item["variant"],
            granted=item["granted"],
            grams=Grams(item["grams"]),
            floor=Grams(item["floor_g"]),
            remainder_g=item["remainder_g"],
            values=values,
            record_id=trace.get("record_id", ""),
            started_at=_aware(trace.get("started_at")),
            ended_at=_aware(trace.get("ended_at")),
            traces={
                name: trace[name] for name in ("line", "from_place", "to_place", "device") if trace.get(name)
            },
        )


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=CHINA) if moment is not None else None


def _batch(batch_id: int) -> Batch:
    row = Batch.objects.filter(pk=batch_id).first()
    if row is None:
        raise BatchNotFound(batch_id=batch_id)
    return row


def _posting(posting_id: int) -> Posting:
    row = Posting.objects.filter(pk=posting_id).first()
    if row is None:
        raise NotFound(what="入账 posting", id=posting_id)
    return row


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
