"""Adjust: post the differences of one step as one journal, and keep the new results beside the old ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.chunks import encode_payload
from tanpuhui.behaviour.activity.adapters.steps import (
    Work,
    floors_matter,
    net_days,
    new_results,
    steps_of,
    worked,
)
from tanpuhui.behaviour.activity.domain import payload_root
from tanpuhui.behaviour.activity.domain.recalculations import (
    LEDGER_KIND,
    RecalculationState,
    WrongRecalculationState,
)
from tanpuhui.behaviour.activity.models import Recalculation, RecalculationStep
from tanpuhui.behaviour.activity.operations._except_records import effects_lock
from tanpuhui.behaviour.activity.operations._post_batch._allowance import add_use
from tanpuhui.behaviour.activity.operations._post_batch._book import DEFICIT_MEASURE
from tanpuhui.behaviour.activity.operations._post_batch._post import POSTING_LOCK
from tanpuhui.behaviour.activity.operations._post_batch._write import SYSTEM_CODE
from tanpuhui.behaviour.activity.operations._recalculate._propose import locked
from tanpuhui.books.ledger.operations import AccountDayLegs, JournalPosted, post_account_days
from tanpuhui.books.transparency.operations import LeafKind, append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.locks import lock_names

TOTALS = ("records", "changed", "account_days", "grams", "points", "due_grams", "due_points")


@dataclass(frozen=True, kw_only=True, slots=True)
class StepAdjusted:
    """How far a recalculation has come: steps done of all, and its state; with all done it is `done`."""

    recalculation_id: int
    steps_done: int
    steps: int
    state: str


@operation(roles={Role.SYSTEM}, subject="recalculation:{recalculation_id}")
def adjust_next_step(*, actor: Actor, at: datetime, recalculation_id: int) -> StepAdjusted:
    """Post the next step of an approved recalculation, whole or not at all; a finished one is left as it is.

    What was posted is never overwritten: the journal holds new less old, by account and day of the behaviour. The
    run's row is locked, so two callers do different steps, and one that was killed leaves its step to the next.
    Raises NotFound, WrongRecalculationState, Busy (retryable), and what loading a version raises.
    """
    run = locked(recalculation_id)
    if run.state == RecalculationState.DONE:
        return _result(run)
    if run.state != RecalculationState.ADJUSTING:
        raise WrongRecalculationState(id=run.pk, state=run.state)
    # What was taken back is not calculated again, so nobody takes a record back while the step looks.
    lock_names(effects_lock(run.scenario), *([POSTING_LOCK] if floors_matter(run) else []))
    with worked(run, run.steps_done) as work:
        step = _write_step(run, work, at)
    for name in TOTALS:
        run.totals[name] = run.totals.get(name, 0) + int(getattr(step, name))
    run.steps_done += 1
    if run.steps_done == steps_of(run):
        _finish(run, at)
    run.save(update_fields=["totals", "steps_done", "state", "finished_at", "leaf_id"])
    return _result(run)


def _result(run: Recalculation) -> StepAdjusted:
    return StepAdjusted(
        recalculation_id=run.pk, steps_done=run.steps_done, steps=steps_of(run), state=run.state
    )


def _write_step(run: Recalculation, work: Work, at: datetime) -> RecalculationStep:
    """Write results, use and step, and post the journal after them, because it locks balances."""
    tables = work.tables
    results_sha256 = _write_results(run, work)
    below = tables.sql(
        f"select account_id, day as period_start, (grams * {calculator.MICRO})::bigint as micro from deficit "
        "order by period_start, account_id"
    ).to_arrow_table()
    add_use(scenario=run.scenario, measure=DEFICIT_MEASURE, use=below)
    legs = _legs(tables)
    journal = _post(run, legs, at) if legs is not None else None
    records, changed = tables.execute(
        "select count(*), count(*) filter (where grams != old_grams) from record"
    ).fetchall()[0]
    return RecalculationStep.objects.create(
        recalculation_id=run.pk,
        number=run.steps_done,
        month=work.place.month,
        slice=work.place.slice,
        records=records,
        changed=changed,
        account_days=0 if legs is None else len(legs.account_id),
        grams=Grams(0 if legs is None else int(legs.grams.sum())),
        points=Points(0 if legs is None else int(legs.points.sum())),
        due_grams=journal.due_grams if journal else Grams(0),
        due_points=journal.due_points if journal else Points(0),
        journal_id=journal.journal_id if journal else None,
        results_sha256=results_sha256,
        seen_posting_id=work.seen,
        seen_exception_run_id=work.seen_run,
        posted_at=at,
    )


def _legs(tables: Any) -> AccountDayLegs | None:
    found = net_days(tables)
    if found.num_rows == 0:
        return None
    return AccountDayLegs(
        account_id=found.column("account_id").to_numpy(),
        day=found.column("day").to_numpy().astype("datetime64[D]"),
        grams=found.column("grams").to_numpy(),
        points=found.column("points").to_numpy(),
        n_records=found.column("changed").to_numpy(),
    )


def _post(run: Recalculation, legs: AccountDayLegs, at: datetime) -> JournalPosted:
    return post_account_days(
        kind=LEDGER_KIND,
        reference=f"recalculation:{run.pk}:{run.steps_done}",
        at=at,
        system_code=SYSTEM_CODE,
        legs=legs,
    )


def _write_results(run: Recalculation, work: Work) -> bytes:
    """Write the new results of each posting in this slice, and return the one hash over theirs, in order of posting."""
    hashes = []
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy activity_recalculated_slice (posting_id, recalculation_id, slice, n_records, n_changed, n_kept, grams, "
            "points, inputs_sha256, results, results_sha256) from stdin with (format binary)"
        ) as copy,
    ):
        copy.set_types(
            ["int8", "int8", "int2", "int4", "int4", "int4", "int8", "int8", "bytea", "bytea", "bytea"]
        )
        for new in new_results(work):
            hashes.append(new.results_sha256)
            copy.write_row(
                (
                    new.posting_id,
                    run.pk,
                    work.place.slice,
                    new.table.num_rows,
                    new.changed,
                    new.kept,
                    new.grams,
                    new.points,
                    new.inputs_sha256,
                    encode_payload(new.table),
                    new.results_sha256,
                )
            )
    return payload_root(hashes)


def _finish(run: Recalculation, at: datetime) -> None:
    """End the recalculation and put what it did in the public log, under one hash over all results."""
    steps = RecalculationStep.objects.filter(recalculation_id=run.pk).order_by("number")
    root = payload_root(bytes(value) for value in steps.values_list("results_sha256", flat=True))
    run.state = RecalculationState.DONE
    run.finished_at = at
    run.leaf_id = append_leaf(
        kind=LeafKind.POSTING,
        subject=f"recalculation:{run.pk}",
        payload={
            "recalculation": run.pk,
            "scenario": run.scenario,
            "months": run.months,
            "methodology_sha256": run.methodology_sha256,
            "parameter_set_sha256": run.parameter_set_sha256,
            "engine_version": run.engine_version,
            **{name: str(run.totals[name]) for name in TOTALS},
            "results_root": root.hex(),
        },
        at=at,
    )
