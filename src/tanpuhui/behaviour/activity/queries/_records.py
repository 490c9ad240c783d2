"""Records out of chunks, and why each gave what it gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import AMOUNTS, TRACES, decode_payload
from tanpuhui.behaviour.activity.adapters.recalculation import reads_traces
from tanpuhui.behaviour.activity.adapters.rows import posting_view
from tanpuhui.behaviour.activity.domain import RecordNotFound, Verdict
from tanpuhui.behaviour.activity.domain.erasures import InputsErased
from tanpuhui.behaviour.activity.domain.views import RecordExplanation, RecordView
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.queries._intake import posting_row
from tanpuhui.foundation.kernel.calendar import CHINA, Month
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.science.engine.explanation import explain
from tanpuhui.science.methodology import queries as methodology


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

    Raises RecordNotFound; InputsErased where the version calculates with what was erased; the methodology's refusals where its bytes are not those that were filed.
    """
    view = record(posting_id=posting_id, account_id=account_id, row=row)
    found = posting_row(posting_id)
    version = methodology.loaded(found.methodology_version_id)
    if not view.record_id and reads_traces(version):
        raise InputsErased
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
            record_id=trace.get("record_id") or "",
            started_at=_aware(trace.get("started_at")),
            ended_at=_aware(trace.get("ended_at")),
            traces={
                name: trace[name] for name in ("line", "from_place", "to_place", "device") if trace.get(name)
            },
        )


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=CHINA) if moment is not None else None
