"""Public notice of a case, comments on it, and their answers (公示、意见、答复)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.foundation.workflow.models.cases import Case


class Notice(models.Model):
    """A case before the public for some working days (公示).

    `opens_on` is the first day of the notice, `closes_on` the last on which anybody may comment. `days_basis` is the rule, or what
    the person who chose the days gave as reason. Both ends and the wording never change; the result is written once.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    step = models.IntegerField()
    title = models.TextField()
    working_days = models.SmallIntegerField()
    days_basis = models.TextField()
    opens_on = models.DateField()
    closes_on = models.DateField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    result = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "step"], name="notice_once_per_step"),
            models.CheckConstraint(condition=models.Q(working_days__gte=1), name="notice_lasts_a_day"),
            models.CheckConstraint(
                condition=models.Q(closes_on__gte=models.F("opens_on")),
                name="notice_closes_after_it_opens",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True, result="")
                | (models.Q(closed_at__isnull=False) & ~models.Q(result="")),
                name="notice_closes_with_a_result",
            ),
        ]
        indexes = [
            models.Index(fields=["closes_on"], condition=models.Q(closed_at__isnull=True), name="notice_open")
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="closes_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.closed_at IS NOT NULL
                        OR (to_jsonb(OLD) - '{closed_at,result}'::text[])
                            IS DISTINCT FROM (to_jsonb(NEW) - '{closed_at,result}'::text[])
                    THEN
                        RAISE EXCEPTION 'notice %: its days and wording never change, and it closes once', OLD.id;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class NoticeComment(models.Model):
    """What somebody said to a notice under their own name, with files (意见); an objection (异议) stops the case until answered."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="comments")
    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    name = models.TextField()
    text = models.TextField()
    objection = models.BooleanField()
    documents = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(text__regex=r"^\s*$"), name="notice_comment_has_text")
        ]
        triggers = append_only()


class CommentAnswer(models.Model):
    """The answer to a comment, published with it (答复); `upheld` says whether an objection was found right."""

    comment = models.OneToOneField(NoticeComment, on_delete=models.PROTECT, related_name="answer")
    text = models.TextField()
    upheld = models.BooleanField(null=True)
    actor_kind = models.TextField()
    actor_id = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(text__regex=r"^\s*$"), name="comment_answer_has_text")
        ]
        triggers = append_only()
