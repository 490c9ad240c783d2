"""What lies in a case beside its decisions: attachments, remarks, corrections, relations, who follows and who urged (案卷)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.foundation.workflow.models.cases import Case, Decision


class Attachment(models.Model):
    """One version of one document on a case (附件): the same kind and name again is its next version."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    kind = models.TextField()
    name = models.TextField()
    version = models.IntegerField()
    document = models.ForeignKey("documents.Document", on_delete=models.PROTECT)
    step = models.IntegerField()
    attached_by = models.TextField()
    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT, null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "name", "version"], name="attachment_version_once"
            )
        ]
        triggers = append_only()


class Remark(models.Model):
    """A remark on one item of the subject, or the answer to one (逐项意见): `item` names the field, line or document."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="remarks")
    item = models.TextField()
    text = models.TextField()
    answers = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replies")
    settles = models.BooleanField(default=False)
    step = models.IntegerField()
    written_by = models.TextField()
    role = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(text__regex=r"^\s*$"), name="remark_has_text"),
            models.CheckConstraint(
                condition=models.Q(settles=False) | models.Q(answers__isnull=False),
                name="remark_only_an_answer_settles",
            ),
        ]
        triggers = append_only()


class DecisionCorrection(models.Model):
    """A corrected wording of a decision (更正): the first stands in the decision, both are kept; two people stand behind it."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="corrections")
    version = models.IntegerField()
    opinion = models.TextField()
    reason = models.TextField()
    amendment = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["decision", "version"], name="decision_correction_version_once"),
            models.CheckConstraint(condition=models.Q(version__gte=2), name="decision_correction_from_two"),
        ]
        triggers = append_only()


class CaseRelation(models.Model):
    """Two cases that belong together (关联案件): an appeal and what it is about, a revision and its first filing."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="relations")
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="related_from")
    kind = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "other", "kind"], name="case_relation_once"),
            models.CheckConstraint(
                condition=~models.Q(case=models.F("other")), name="case_relation_not_itself"
            ),
        ]
        triggers = append_only()


class CaseSubscription(models.Model):
    """Somebody follows a case and is told of every step (关注)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="subscriptions")
    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "user"], condition=models.Q(until__isnull=True), name="case_followed_once"
            )
        ]


class CaseAct(models.Model):
    """What happened to a case without moving it: urged, assigned, taken over, deadline set (催办、转办、定期限)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="acts")
    kind = models.TextField()
    step = models.IntegerField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    text = models.TextField()
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["case", "kind", "at"], name="case_act_by_kind")]
        triggers = append_only()
