"""The operation: a received batch becomes postings, or is refused with the place of the fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tanpuhui.behaviour.activity.adapters import reading_adapter
from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain import BatchNotFound, BatchState, FileUnusable
from tanpuhui.behaviour.activity.domain.verdicts import CORRECTS_ROW
from tanpuhui.behaviour.activity.models import Batch, Feed, Posting
from tanpuhui.behaviour.activity.operations._post_batch._book import book, groups, sheets
from tanpuhui.behaviour.activity.operations._post_batch._calculate import calculate_versions, settle_results
from tanpuhui.behaviour.activity.operations._post_batch._cap import apply_caps
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk, FeedTerms
from tanpuhui.behaviour.activity.operations._post_batch._mend import note_mended
from tanpuhui.behaviour.activity.operations._post_batch._once import drop_repeats, sort_keys
from tanpuhui.behaviour.activity.operations._post_batch._plausible import hold_implausible
from tanpuhui.behaviour.activity.operations._post_batch._read import slices, take_in
from tanpuhui.behaviour.activity.operations._post_batch._report import Tally, refused_report, write_outcomes
from tanpuhui.behaviour.activity.operations._post_batch._resolve import (
    check_nobody_left,
    find_methodologies,
    find_people,
    note_users,
    resolve_people,
)
from tanpuhui.behaviour.activity.operations._post_batch._validate import judge, lay_down_terms
from tanpuhui.behaviour.activity.operations._post_batch._wait import set_waiting
from tanpuhui.behaviour.activity.operations._post_batch._write import write_posting
from tanpuhui.behaviour.activity.operations._request_correction import close_by_mending, request_by_rule
from tanpuhui.behaviour.activity.queries._agreements import days_without_agreement
from tanpuhui.behaviour.activity.queries._reading_terms import field_codes, limits
from tanpuhui.behaviour.activity.queries._standing import stops_of
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology

POSTING_LOCK = "activity:posting"


def partner_lock(partner_id: int) -> str:
    """Return the name of the lock under which a partner's keys and chain of postings grow."""
    return f"activity:partner:{partner_id}"


SLICE_ROWS = 1_000_000
"""Rows that are in memory at once; a longer file becomes several postings in one transaction."""


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
    try:
        with (
            transaction.atomic()
        ):  # a file that turns out damaged at its end leaves nothing of its earlier slices
            found = _post_slices(batch, at).report()
        _settle(batch, BatchState.POSTED, found, at)
    except FileUnusable as error:
        _settle(batch, BatchState.REFUSED, refused_report(error), at)
    return _result(batch)


def _post_slices(batch: Batch, at: datetime) -> Tally:
    """Post the file slice by slice, so that memory is that of one slice. Raises FileUnusable."""
    tally = Tally()
    feeds = _feeds(batch)
    fields = field_codes(
        view.id for view in methodology.library() if view.scenario in feeds and view.filed_at is not None
    )
    form = reading_adapter(batch.adapter, document=batch.mapping.document if batch.mapping else "")
    with open_document(batch.file_sha256) as stream:
        parts = slices(
            stream,
            form=form,
            file_name=batch.file_name,
            media_type=batch.media_type,
            fields=fields,
            bounds=limits(batch.received_at),
            rows_max=SLICE_ROWS,
            also=() if batch.corrects_id is None else (CORRECTS_ROW,),
        )
        for number, part in enumerate(parts):
            with closing(open_tables()) as tables:
                desk = _desk(batch, at, tables, feeds=feeds, number=number)
                take_in(desk, part, form=form, fields=fields)
                _judge(desk, fields)
                tally.add(desk, _post(desk, fields))
                if batch.corrects_id is not None:
                    note_mended(desk, part.table, corrects=batch.corrects_id)
    return tally


def _post(desk: Desk, fields: tuple[str, ...]) -> list[Posting]:
    """Post what counts of a slice, and write down what became of the other rows."""
    lock_names(POSTING_LOCK, partner_lock(desk.partner_id))
    check_nobody_left(desk)
    drop_repeats(desk)
    hold_implausible(desk, fields)
    set_waiting(desk, fields)
    return post_keyed(desk)


def post_keyed(desk: Desk) -> list[Posting]:
    """Post the rows of `keyed` by cap, account-day and month, and write the outcomes. The caller holds the locks.

    Rows that an appeal lets count have an outcome already, which stays as history.
    """
    apply_caps(desk)
    found = sheets(desk)
    postings = [write_posting(desk, found, book(desk, found, group)) for group in groups(desk)]
    if not desk.stands:
        write_outcomes(desk)
    return postings


def _judge(desk: Desk, fields: tuple[str, ...]) -> None:
    """Find out which rows count, and what each gives. The tables judge while the database looks for people: two cores."""
    lay_down_terms(desk)
    with ThreadPoolExecutor(1) as tables:
        judging = tables.submit(judge, desk, fields)
        users = note_users(desk)
        judging.result()
        find_methodologies(desk)
        calculating = tables.submit(_calculate, desk)
        people = find_people(desk, users)
        calculating.result()
    resolve_people(desk, people)
    settle_results(desk)


def _calculate(desk: Desk) -> None:
    calculate_versions(desk)
    sort_keys(desk)


def _feeds(batch: Batch) -> dict[str, FeedTerms]:
    feeds: dict[str, FeedTerms] = {}
    found = list(
        Feed.objects.filter(partner_id=batch.partner_id, adapter=batch.adapter).select_related("scenario")
    )
    stops = stops_of([feed.scenario_id for feed in found])
    for feed in found:
        code = feed.scenario.code
        late, settle = (
            rulebook.parameter(key=key, at=batch.received_at, scope=code).value
            for key in ("intake.lateness_days_max", "intake.settle_days")
        )
        feeds[code] = FeedTerms(
            scenario=code,
            evidence_tier=feed.evidence_tier,
            default_area=feed.default_area,
            lateness_days_max=int(late) if late is not None else None,
            settle_days=int(settle) if settle is not None else None,
            stops=stops.get(feed.scenario_id, ()),
            unagreed=days_without_agreement(
                partner_id=batch.partner_id,
                scenario=code,
                at=batch.received_at,
                stops=stops.get(feed.scenario_id, ()),
            ),
        )
    return feeds


def _desk(batch: Batch, at: datetime, tables: Any, *, feeds: dict[str, FeedTerms], number: int) -> Desk:
    desk = Desk(
        tables=tables,
        batch_id=batch.pk,
        partner_id=batch.partner_id,
        file_sha256=batch.file_sha256,
        received_at=batch.received_at,
        at=at,
        feeds=feeds,
        slice_number=number,
    )
    desk.open()
    return desk


def _settle(batch: Batch, state: BatchState, found: dict[str, Any], at: datetime) -> None:
    batch.state = state
    batch.settled_at = at
    batch.report = found
    batch.save(update_fields=["state", "settled_at", "report"])
    request_by_rule(batch, at=at)
    close_by_mending(batch, at=at)


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
