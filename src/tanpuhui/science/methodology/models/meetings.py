"""Meetings of a panel, votes, and what is owed to the experts (评审会、表决、评审费)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from tanpuhui.foundation.persistence.fields import FenField
from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.science.methodology.domain import Conclusion, Vote
from tanpuhui.science.methodology.models.experts import Expert
from tanpuhui.science.methodology.models.panels import ReviewPanel
from tanpuhui.science.methodology.models.versions import MethodologyVersion

SIGNED_STAYS = """
    IF OLD.voided_at IS NOT NULL OR (OLD.signed_at IS NOT NULL
        AND (to_jsonb(OLD) - '{voided_at,void_reason}'::text[])
            IS DISTINCT FROM (to_jsonb(NEW) - '{voided_at,void_reason}'::text[]))
    THEN
        RAISE EXCEPTION 'meeting %: signed or void, it does not change', OLD.id;
    END IF;
    RETURN NEW;
"""


class ReviewMeeting(models.Model):
    """One meeting of a panel about one version (评审会). Signed it stands, unless an expert is excluded afterwards."""

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="meetings")
    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT)
    held_at = models.DateTimeField()
    place = models.TextField()
    agenda = models.TextField()
    present = models.JSONField()
    chair = models.ForeignKey(Expert, on_delete=models.PROTECT)
    recorded_at = models.DateTimeField()
    recorded_by = models.TextField()
    minutes_sha256 = models.CharField(max_length=64, default="", blank=True)
    conclusion = models.TextField(default="", blank=True)
    opinion = models.TextField(default="", blank=True)
    signed_at = models.DateTimeField(null=True)
    signature_sha256 = models.CharField(max_length=64, default="", blank=True)
    voided_at = models.DateTimeField(null=True)
    void_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "version"],
                condition=Q(voided_at__isnull=True),
                name="meeting_one_per_version",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True)
                | (Q(conclusion__in=[one.value for one in Conclusion]) & ~Q(minutes_sha256="")),
                name="meeting_signed_is_whole",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="no_meeting_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="signed_stays", when=pgtrigger.Before, operation=pgtrigger.Update, func=SIGNED_STAYS
            ),
        ]


class MeetingVote(models.Model):
    """One vote; a dissent is kept in its own words and published (表决、保留意见)."""

    meeting = models.ForeignKey(ReviewMeeting, on_delete=models.PROTECT, related_name="votes")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT)
    vote = models.TextField()
    dissent = models.TextField(default="", blank=True)
    cast_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meeting", "expert"], name="meeting_one_vote_each"),
            models.CheckConstraint(
                condition=Q(vote__in=[one.value for one in Vote]), name="meeting_vote_is_one_of_three"
            ),
        ]
        triggers = append_only()


class FeeLine(models.Model):
    """What an expert is owed for one review or meeting (评审费); `fen` is empty where no rule sets the fee."""

    expert = models.ForeignKey(Expert, on_delete=models.PROTECT, related_name="fees")
    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT)
    kind = models.TextField()
    subject = models.TextField()
    fen = FenField(null=True)
    basis = models.TextField()
    earned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["expert", "kind", "subject"], name="fee_once_per_work"),
            models.CheckConstraint(condition=Q(kind__in=["review", "meeting"]), name="fee_kind"),
        ]
        triggers = append_only()
