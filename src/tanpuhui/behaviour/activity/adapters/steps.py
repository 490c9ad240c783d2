"""The work of one step (一步): load a slice of a month, calculate it with the new version, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.chunks import NEW_RESULTS, columns_sha256
from tanpuhui.behaviour.activity.adapters.exceptions import excluded_rows, last_run
from tanpuhui.behaviour.activity.adapters.recalculation import reads_traces, recalculate
from tanpuhui.behaviour.activity.adapters.slices import (
    Member,
    Stored,
    by_posting,
    effects,
    inputs_by_posting,
    members,
    rule_spans,
    stored_records,
)
from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain.recalculations import TRACES_ERASED, Place, place_of
from tanpuhui.behaviour.activity.models import Recalculation
from tanpuhui.science.engine.model import MethodologyVersion
from tanpuhui.science.methodology import queries as methodology


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """A step worked out: `record`, and the tables with `record` and `day` (see `recalculate`).

    `postings` are those it changes, `groups` their stored records, `seen` the last posting that was there.
    """

    place: Place
    postings: tuple[Member, ...]
    groups: tuple[Stored, ...]
    record: pa.Table
    tables: Any
    seen: int
    seen_run: int


def steps_of(run: Recalculation) -> int:
    """Return how many steps a recalculation has."""
    return len(run.months) * run.slices


def floors_matter(run: Recalculation) -> bool:
    """Say whether results can be negative, so that other records of an account-day belong to its floor."""
    versions = {run.from_version_id, run.to_version_id}
    return any(calculator.may_be_negative(methodology.loaded(version_id)) for version_id in versions)


@contextmanager
def worked(
    run: Recalculation, number: int, *, seen: int | None = None, seen_run: int | None = None
) -> Iterator[Work]:
    """Work out one step of a recalculation; the tables are gone afterwards. Memory is that of one slice of a month.

    `seen` is the last posting, `seen_run` the last run of exceptions that the step saw when it was posted, to have it again;
    None sees all there are now.
    Raises what loading a version raises: ArchiveChanged, TestParametersRefused.
    """
    place = place_of(number, run.months)
    version = methodology.loaded(run.to_version_id)
    of_month = members(scenario=run.scenario, first_month=place.month, last_month=place.month, before=run.pk)
    if seen is not None:
        of_month = [member for member in of_month if member.posting_id <= seen]
    own = [
        member
        for member in of_month
        if member.effective_version_id == run.from_version_id and member.posting_id <= run.through_posting_id
    ]
    changed = {member.posting_id for member in own}
    rest = [one for one in of_month if one.posting_id not in changed] if floors_matter(run) else []
    exceptions = last_run() if seen_run is None else seen_run
    excluded = excluded_rows([member.posting_id for member in of_month], through=exceptions)
    groups = stored_records(
        own, slices=run.slices, index=place.slice, traces_of=_traces_of(own, version), excluded=excluded
    )
    without = dict.fromkeys({member.version_id for member in rest}, False)
    with closing(open_tables()) as tables:
        record = recalculate(
            tables,
            version,
            groups=groups,
            effect=effects(own, slices=run.slices, index=place.slice, before=run.pk),
            rules=rule_spans(own),
            others=stored_records(
                rest, slices=run.slices, index=place.slice, traces_of=without, excluded=excluded
            ),
            others_effect=effects(rest, slices=run.slices, index=place.slice, before=run.pk),
        )
        yield Work(
            place=place,
            postings=tuple(own),
            groups=tuple(groups),
            record=record,
            tables=tables,
            seen=max((member.posting_id for member in of_month), default=0),
            seen_run=exceptions,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewResults:
    """What became of one posting's records in a step: NEW_RESULTS with their hashes, and the change they make."""

    posting_id: int
    table: pa.Table
    inputs_sha256: bytes
    results_sha256: bytes
    changed: int
    kept: int
    grams: int
    points: int


def new_results(work: Work) -> Iterator[NewResults]:
    """Yield the new results of each posting of a step, in order of posting."""
    inputs = inputs_by_posting(work.groups)
    table = work.record
    owners = table.column("posting_id").to_numpy()
    if (owners[1:] < owners[:-1]).any():
        table = table.take(pa.array(np.argsort(owners, kind="stable")))
    points = dict(
        work.tables.execute("select posting_id, sum(points)::bigint from day group by posting_id").fetchall()
    )
    for posting_id, part in by_posting(table):
        results = part.select(NEW_RESULTS)
        old, new, old_floor, floor = (
            part.column(name).to_numpy() for name in ("old_grams", "grams", "old_floor", "floor_g")
        )
        yield NewResults(
            posting_id=posting_id,
            table=results,
            inputs_sha256=inputs[posting_id],
            results_sha256=columns_sha256(results),
            changed=int((old != new).sum()),
            kept=int(pa.compute.sum(pa.compute.equal(part.column("reason"), TRACES_ERASED)).as_py() or 0),
            grams=int((new + floor - old - old_floor).sum()),
            points=points[posting_id],
        )


def net_days(tables: Any) -> pa.Table:
    """Return new less old of each account-day over the postings of a step, where it is not nothing.

    Columns account_id, day, grams, points, changed (records); sorted by account and day.
    """
    return tables.sql(
        "select account_id, day, sum(grams - old_grams)::bigint as grams, sum(points)::bigint as points, "
        "sum(changed)::bigint as changed from day group by account_id, day "
        "having sum(grams - old_grams) != 0 or sum(points) != 0 order by account_id, day"
    ).to_arrow_table()


def _traces_of(own: list[Member], version: MethodologyVersion) -> dict[int, bool]:
    """Say for each posting version whether its traces have to be read: the new version reads a field that stands there."""
    wanted = {item.code for item in version.fields}
    found = {}
    for version_id in {member.version_id for member in own}:
        stored = methodology.loaded(version_id)
        found[version_id] = reads_traces(stored) and any(
            item.code in wanted for item in stored.fields if item.privacy == "trace"
        )
    return found
