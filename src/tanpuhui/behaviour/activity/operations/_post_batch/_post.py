"""The operation: a received batch becomes postings, or is refused with the place of the fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain import BatchNotFound, BatchState, FileUnusable
from tanpuhui.behaviour.activity.models import Batch, Feed, Posting
from tanpuhui.behaviour.activity.operations._post_batch._book import book, groups, sheets
from tanpuhui.behaviour.activity.operations._post_batch._calculate import calculate_versions, settle_results
from tanpuhui.behaviour.activity.operations._post_batch._cap import apply_caps
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk, FeedTerms
from tanpuhui.behaviour.activity.operations._post_batch._once import drop_repeats
from tanpuhui.behaviour.activity.operations._post_batch._read import field_codes, limits, read
from tanpuhui.behaviour.activity.operations._post_batch._report import refused_report, report, write_outcomes
from tanpuhui.behaviour.activity.operations._post_batch._resolve import (
    find_methodologies,
    find_people,
    find_users,
    resolve_people,
)
from tanpuhui.behaviour.activity.operations._post_batch._validate import judge, lay_down_terms
from tanpuhui.behaviour.activity.operations._post_batch._write import write_posting
from tanpuhui.behaviour.activity.operations._request_correction import request_by_rule
from tanpuhui.behaviour.activity.queries._standing import stops_of
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology

POSTING_LOCK = "activity:posting"


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPosted:
    """What became of a batch: its state, rows, rows counted (clipped ones included), grams and points credited."""

    batch_id: int
    state: str
    rows: int
    counted: int
    posting_ids: tuple[int, ...]
    grams: Grams
    points: Points


@operation(roles={Role.SYSTEM}, subject="batch:{batch_id}")
def post_batch(*, actor: Actor, at: datetime, batch_id: int) -> BatchPosted:
    """Post a received batch, whole or not at all; a settled batch is returned as it is.

    Every row gets one verdict and every good row is kept. A file of which nothing can be read ends as refused.
    Where the rule says that too much is wrong, the partner is asked to correct it (数据更正).
    Raises BatchNotFound, ParameterUnset (intake.file_bytes_max, intake.line_bytes_max), Busy (retryable).
    """
    batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise BatchNotFound(batch_id=batch_id)
    if batch.state != BatchState.RECEIVED:
        return _result(batch)
    with closing(open_tables()) as tables:
        desk = _desk(batch, at, tables)
        try:
            fields = _read(desk, batch)
        except FileUnusable as error:
            _settle(batch, BatchState.REFUSED, refused_report(error), at)
            return _result(batch)
        _judge(desk, fields)
        lock_names(POSTING_LOCK, f"activity:partner:{batch.partner_id}")
        drop_repeats(desk)
        apply_caps(desk)
        found = sheets(desk)
        postings: list[Posting] = [
            write_posting(desk, found, book(desk, found, group)) for group in groups(desk)
        ]
        write_outcomes(desk)
        _settle(batch, BatchState.POSTED, report(desk, postings), at)
    return _result(batch)


def _judge(desk: Desk, fields: tuple[str, ...]) -> None:
    """Find out which rows count, and what each gives. The tables judge while the database looks for people: two cores."""
    lay_down_terms(desk)
    with ThreadPoolExecutor(1) as tables:
        judging = tables.submit(judge, desk, fields)
        users = find_users(desk)
        judging.result()
        find_methodologies(desk)
        calculating = tables.submit(calculate_versions, desk)
        people = find_people(desk, users)
        calculating.result()
    resolve_people(desk, people)
    settle_results(desk)


def _desk(batch: Batch, at: datetime, tables: Any) -> Desk:
    feeds: dict[str, FeedTerms] = {}
    found = list(
        Feed.objects.filter(partner_id=batch.partner_id, adapter=batch.adapter).select_related("scenario")
    )
    stops = stops_of([feed.scenario_id for feed in found])
    for feed in found:
        code = feed.scenario.code
        days = rulebook.parameter(key="intake.lateness_days_max", at=batch.received_at, scope=code).value
        feeds[code] = FeedTerms(
            scenario=code,
            evidence_tier=feed.evidence_tier,
            default_area=feed.default_area,
            lateness_days_max=int(days) if days is not None else None,
            stops=stops.get(feed.scenario_id, ()),
        )
    desk = Desk(
        tables=tables,
        batch_id=batch.pk,
        partner_id=batch.partner_id,
        file_sha256=batch.file_sha256,
        received_at=batch.received_at,
        at=at,
        feeds=feeds,
    )
    desk.open()
    return desk


def _read(desk: Desk, batch: Batch) -> tuple[str, ...]:
    """Read the file into `raw` and return the field codes of the methodologies in question. Raises FileUnusable."""
    fields = field_codes(
        view.id for view in methodology.library() if view.scenario in desk.feeds and view.filed_at is not None
    )
    with open_document(batch.file_sha256) as stream:
        read(
            desk,
            stream=stream,
            adapter=batch.adapter,
            file_name=batch.file_name,
            media_type=batch.media_type,
            fields=fields,
            bounds=limits(batch.received_at),
        )
    return fields


def _settle(batch: Batch, state: BatchState, found: dict[str, Any], at: datetime) -> None:
    batch.state = state
    batch.settled_at = at
    batch.report = found
    batch.save(update_fields=["state", "settled_at", "report"])
    request_by_rule(batch, at=at)


def _result(batch: Batch) -> BatchPosted:
    found = batch.report
    return BatchPosted(
        batch_id=batch.pk,
        state=batch.state,
        rows=found["rows"],
        counted=found["verdicts"]["counted"] + found["verdicts"]["clipped"],
        posting_ids=tuple(found["postings"]),
        grams=Grams(found["grams"]),
        points=Points(found["points"]),
    )
