"""Rows of the database as the facts that intake shows (数据库行转视图)."""

from __future__ import annotations

from datetime import UTC

from tanpuhui.behaviour.activity.domain import PostingContent, Verdict
from tanpuhui.behaviour.activity.domain.views import BatchView, OutcomeView, PostingView
from tanpuhui.behaviour.activity.models import Batch, Posting, RowOutcome
from tanpuhui.foundation.kernel.quantities import Grams, Points


def batch_view(row: Batch) -> BatchView:
    """Return a batch as a page lists it."""
    return BatchView(
        id=row.pk,
        partner_id=row.partner_id,
        adapter=row.adapter,
        file_name=row.file_name,
        file_sha256=row.file_sha256,
        size_bytes=row.size_bytes,
        received_at=row.received_at,
        settled_at=row.settled_at,
        state=row.state,
        rows=row.report.get("rows", 0),
        verdicts=row.report.get("verdicts", {verdict.value: 0 for verdict in Verdict}),
        grams=Grams(row.report.get("grams", 0)),
        points=Points(row.report.get("points", 0)),
        corrects=row.corrects_id,
    )


def outcome_view(row: RowOutcome) -> OutcomeView:
    """Return the outcome of a row."""
    return OutcomeView(
        row_number=row.row_number, verdict=row.verdict, reason=row.reason, field=row.field, value=row.value
    )


def posting_view(row: Posting) -> PostingView:
    """Return a posting."""
    return PostingView(
        id=row.pk,
        partner_id=row.partner_id,
        batch_id=row.batch_id,
        scenario=row.scenario,
        methodology_version_id=row.methodology_version_id,
        evidence_tier=row.evidence_tier,
        month=row.month,
        records=row.records,
        account_days=row.account_days,
        accounts=row.accounts,
        grams=row.grams,
        points=row.points,
        points_rules=tuple(row.points_rules),
        hash=bytes(row.hash).hex(),
        journal_id=row.journal_id,
        posted_at=row.posted_at,
    )


def posting_content(row: Posting) -> PostingContent:
    """Return what the hash of a posting commits to."""
    return PostingContent(
        partner_id=row.partner_id,
        batch_id=row.batch_id,
        file_sha256=row.batch.file_sha256,
        scenario=row.scenario,
        methodology_version_id=row.methodology_version_id,
        methodology_sha256=row.methodology_sha256,
        parameter_set_sha256=row.parameter_set_sha256,
        engine_version=row.engine_version,
        rounding=row.rounding,
        evidence_tier=row.evidence_tier,
        month=row.month,
        records=row.records,
        account_days=row.account_days,
        accounts=row.accounts,
        grams=row.grams.value,
        points=row.points.value,
        points_rules=tuple(row.points_rules),
        amounts_sha256=bytes(row.amounts_sha256).hex(),
        traces_sha256=bytes(row.traces_sha256).hex(),
        inputs_sha256=bytes(row.inputs_sha256).hex(),
        results_sha256=bytes(row.results_sha256).hex(),
        posted_at=row.posted_at.astimezone(UTC).isoformat(),
        slice_number=row.slice_number,
        day_settlement_id=row.day_settlement_id or 0,
    )
