"""Batches and their reports, feeds, scenarios, postings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from tanpuhui.behaviour.activity.adapters.rows import batch_view, outcome_view, posting_view
from tanpuhui.behaviour.activity.domain import BatchNotFound
from tanpuhui.behaviour.activity.domain.standing import StatusRow, standing_on
from tanpuhui.behaviour.activity.domain.views import (
    BatchReport,
    BatchView,
    FeedView,
    PostingView,
    Resent,
    ScenarioView,
)
from tanpuhui.behaviour.activity.models import Batch, Feed, Posting, RowOutcome, Scenario
from tanpuhui.behaviour.activity.queries._settlements import rows_readmitted
from tanpuhui.behaviour.activity.queries._standing import rows_of
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.calendar import Month, business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.queries import Interest

OUTCOMES_SHOWN_MAX = 1_000
_CREDITED = "posting"
"""The kind of the ledger's journals in which a posting credits accounts."""


def scenarios(*, on: date | None = None) -> tuple[ScenarioView, ...]:
    """Return every scenario that was ever opened, by code, with how it stands on a day: today where none is given."""
    day = on or business_day(datetime.now(UTC))
    rows = list(Scenario.objects.order_by("code"))
    decided = rows_of([row.pk for row in rows])
    return tuple(_scenario_view(row, decided.get(row.pk, ()), day) for row in rows)


def scenario(code: str, *, on: date | None = None) -> ScenarioView:
    """Return one scenario with how it stands on a day, today where none is given; raises NotFound."""
    found = next((view for view in scenarios(on=on) if view.code == code), None)
    if found is None:
        raise NotFound(what="场景 scenario", id=code)
    return found


def _scenario_view(row: Scenario, decided: Sequence[StatusRow], day: date) -> ScenarioView:
    standing = standing_on(decided, day)
    since = max((one.from_day for one in decided if one.from_day <= day), default=business_day(row.opened_at))
    return ScenarioView(
        id=row.pk,
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        area=row.area,
        scenario_class=row.scenario_class,
        reach=row.reach,
        opened_at=row.opened_at,
        standing=standing.value,
        since=since,
    )


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


def interests_in_scenario(scenario: str) -> tuple[Interest, ...]:
    """Return the data partners that send a scenario, as those who win or lose by its methodology."""
    partners = {feed.partner_id for feed in feeds() if feed.scenario == scenario}
    return tuple(
        Interest(uscc=organisation(partner_id).uscc, tie="feed", reference=scenario)
        for partner_id in sorted(partners)
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
    outcomes = RowOutcome.objects.filter(batch_id=batch_id).exclude(row_number__in=rows_readmitted(batch_id))
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
        settles_on={
            date.fromisoformat(day): n for day, n in sorted(row.report.get("settles_on", {}).items())
        },
    )


def posting(posting_id: int) -> PostingView:
    """Return one posting; raises NotFound."""
    return posting_view(posting_row(posting_id))


def postings_of_scenario(*, scenario: str, through_month: Month) -> tuple[PostingView, ...]:
    """Return the postings of a scenario up to and including a month, in posting order."""
    rows = Posting.objects.filter(scenario=scenario, month__lte=str(through_month)).order_by("id")
    return tuple(posting_view(row) for row in rows)


def postings(*, batch_id: int) -> tuple[PostingView, ...]:
    """Return the postings of a batch in posting order."""
    return tuple(posting_view(row) for row in Posting.objects.filter(batch_id=batch_id).order_by("id"))


def journals_of_postings(posting_ids: Sequence[int]) -> list[int]:
    """Return the ledger's journals of postings."""
    rows = Posting.objects.filter(pk__in=posting_ids, journal_id__isnull=False)
    return sorted(number for number in rows.values_list("journal_id", flat=True) if number is not None)


def posting_of_journal(*, kind: str, reference: str) -> int | None:
    """Return the posting that a line of the ledger belongs to; None where it is of another kind."""
    return int(reference.split(":")[1]) if kind == _CREDITED else None


def _batch(batch_id: int) -> Batch:
    row = Batch.objects.filter(pk=batch_id).first()
    if row is None:
        raise BatchNotFound(batch_id=batch_id)
    return row


def posting_row(posting_id: int) -> Posting:
    row = Posting.objects.filter(pk=posting_id).first()
    if row is None:
        raise NotFound(what="入账 posting", id=posting_id)
    return row
