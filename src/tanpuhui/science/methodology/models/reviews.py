"""Opinions, remarks with their replies, and the experts' own trial calculations (评审意见、逐行意见与答复、专家试算)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.science.methodology.domain import Conclusion
from tanpuhui.science.methodology.models.experts import Expert
from tanpuhui.science.methodology.models.panels import ReviewPanel
from tanpuhui.science.methodology.models.versions import MethodologyVersion


class ExpertReview(models.Model):
    """One saving of an expert's opinion on one version; the last submitted one stands (评审意见).

    `sha256` is over the content with account and time: the signature of a submission.
    """

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="reviews")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT)
    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT)
    revision = models.SmallIntegerField()
    submitted = models.BooleanField()
    scores = models.JSONField()
    texts = models.JSONField()
    text = models.TextField(blank=True)
    recommendation = models.TextField(default="", blank=True)
    sha256 = models.CharField(max_length=64, default="", blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "expert", "version", "revision"], name="expert_review_once_per_revision"
            ),
            models.CheckConstraint(
                condition=Q(submitted=False)
                | (Q(recommendation__in=[one.value for one in Conclusion]) & ~Q(sha256="")),
                name="expert_review_submitted_is_whole",
            ),
        ]
        triggers = append_only()


class ReviewRemark(models.Model):
    """A remark on one line of one file of the archive (逐行意见); `quoted` is that line as it stood."""

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="remarks")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT)
    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT)
    path = models.TextField()
    line = models.IntegerField()
    quoted = models.TextField(blank=True)
    text = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(line__gte=1), name="review_remark_lines_count_from_one")
        ]
        triggers = append_only()


class RemarkReply(models.Model):
    """What the applicant answers to a remark (对意见的答复)."""

    remark = models.ForeignKey(ReviewRemark, on_delete=models.PROTECT, related_name="replies")
    user_id = models.TextField()
    organisation_id = models.BigIntegerField(null=True)
    text = models.TextField()
    replied_at = models.DateTimeField()

    class Meta:
        triggers = append_only()


class ExpertTrial(models.Model):
    """An expert's own numbers and what the engine made of them (专家试算)."""

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="trials")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT)
    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT)
    inputs = models.TextField()
    inputs_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    engine_version = models.TextField()
    note = models.TextField(default="", blank=True)
    calculated_at = models.DateTimeField()

    class Meta:
        triggers = append_only()
