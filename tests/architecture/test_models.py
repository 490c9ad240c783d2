"""What the import contracts cannot see: foreign keys given as text, and tables that must only grow."""

from __future__ import annotations

import re
from pathlib import Path

from django.apps import apps

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tanpuhui"
REACHABLE = {"identity", "rulebook", "documents"}
APPEND_ONLY = {
    "audit.AuditRecord", "ledger.Journal", "ledger.Entry", "transparency.Head", "activity.Posting",
    "activity.RecordChunk", "activity.SetAside", "activity.TraceErasure", "activity.ErasedPayload", "activity.KeySegment", "activity.RecalculationStep", "activity.RecalculatedSlice",
    "carbon_accounts.PoolAdjustment", "carbon_accounts.AdmissionClaim", "workflow.Decision", "workflow.DecisionCorrection", "workflow.Attachment",
    "workflow.Remark", "workflow.CaseAct", "workflow.NoticeComment", "workflow.CommentAnswer", "registry.Issuance", "registry.Movement",
    "activity.ScenarioApplicationVersion", "activity.SampleAcceptance", "activity.ScenarioStatus", "activity.FieldMappingVersion",
    "workflow.CommentWithdrawal", "workflow.NoticeExtension", "registry.Certificate", "projects.MonitoringReport", "projects.VerificationStatement",
    "methodology.FilingVersion", "methodology.VersionStatus", "methodology.ReviewPanel", "methodology.PanelCandidate",
    "methodology.ExpertReview", "methodology.ReviewRemark", "methodology.RemarkReply", "methodology.ExpertTrial",
    "methodology.MeetingVote", "methodology.FeeLine",
}  # fmt: skip


def own_models() -> list[type]:
    return [model for model in apps.get_models() if model.__module__.startswith("tanpuhui.")]


def test_foreign_keys_stay_inside_a_context_or_point_down_to_three_rooms() -> None:
    outside = [
        f"{model._meta.label} -> {field.related_model._meta.label}"
        for model in own_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.many_to_one and field.concrete and field.related_model is not None
        and field.related_model._meta.app_label not in {model._meta.app_label, *REACHABLE}
    ]  # fmt: skip
    assert outside == []


def test_tables_of_record_only_grow() -> None:
    found = {
        model._meta.label: {t.name for t in getattr(model._meta, "triggers", [])} for model in own_models()
    }
    assert {
        label for label in APPEND_ONLY if not {"append_only", "no_truncate"} <= found.get(label, set())
    } == set()


def test_no_quantity_is_kept_as_a_binary_float() -> None:
    floats = [
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.concrete_fields
        if field.get_internal_type() == "FloatField"
    ]
    assert floats == []


def locked_rows(source: str, tables: set[str]) -> set[str]:
    """Return which of the tables have their rows locked in a piece of source."""
    locking = (
        statement
        for statement in re.split(r"\n\n|\n    (?=[a-z])", source)
        if "select_for_update" in statement
    )
    return {
        table for statement in locking for table in tables if re.search(rf"\b{table}\.objects", statement)
    }


def test_no_row_of_a_table_of_record_is_locked() -> None:
    """The app role may insert there and select, and locking a row needs more; tests sign in as the owner and do not notice."""
    tables = {
        model.__name__
        for model in own_models()
        if "append_only" in {t.name for t in getattr(model._meta, "triggers", [])}
    }
    assert locked_rows("Decision.objects.select_for_update().get(pk=1)", {"Decision"}) == {"Decision"}
    found = {
        str(path.relative_to(SOURCE)): locked
        for path in SOURCE.glob("*/*/operations/**/*.py")
        if (locked := locked_rows(path.read_text("utf-8"), tables))
    }
    assert found == {}
