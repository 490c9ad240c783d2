"""Public notice of a case, comments on it, and their answers (公示、意见、答复)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.kernel.actors import CLOSED_NAME
from tanpuhui.foundation.persistence.triggers import append_only, nameless
from tanpuhui.foundation.workflow.models.cases import Case


class Notice(models.Model):
    """A case before the public for some working days (公示).

    `opens_on` is the first day of the notice, `closes_on` the last on which anybody may comment. `days_basis` is the rule, or what
    the person who chose the days gave as reason; `days_confidence` is the rule's tag, NOT ESTABLISHED where a person chose. `documents`
    are the attachments published with it, as they were when it opened: kind, name, version, sha256, size. Both ends and the
    wording never change (a later last day is a NoticeExtension); the result is written once.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    step = models.IntegerField()
    title = models.TextField()
    working_days = models.SmallIntegerField()
    days_basis = models.TextField()
    days_confidence = models.TextField(default="", blank=True)
    documents = models.JSONField(default=list)
    opens_on = models.DateField()
    closes_on = models.DateField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    result = models.TextField(default="", blank=True)
    result_en = models.TextField(default="", blank=True)

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
            models.Index(
                fields=["closes_on"], condition=models.Q(closed_at__isnull=True), name="notice_open"
            ),
            models.Index(fields=["-opens_on", "-id"], name="notice_newest_first"),
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="closes_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.closed_at IS NOT NULL
                        OR (to_jsonb(OLD) - '{closed_at,result,result_en}'::text[])
                            IS DISTINCT FROM (to_jsonb(NEW) - '{closed_at,result,result_en}'::text[])
                    THEN
                        RAISE EXCEPTION 'notice %: its days and wording never change, and it closes once', OLD.id;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class NoticeExtension(models.Model):
    """A later last day of a notice (延长公示): a published act of its own, so that the days first announced stay as they were."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="extensions")
    working_days = models.SmallIntegerField()
    closes_on = models.DateField()
    reason = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "closes_on"], name="notice_extended_once_to_a_day"),
            models.CheckConstraint(
                condition=models.Q(working_days__gte=1), name="notice_extension_lasts_a_day"
            ),
            models.CheckConstraint(
                condition=~models.Q(reason__regex=r"^\s*$"), name="notice_extension_has_reason"
            ),
        ]
        triggers = append_only()


class NoticeComment(models.Model):
    """What somebody said to a notice under their own name, with files (意见); an objection (异议) stops the case until answered.

    `name` is the name that the person declared, `known_by` what stands behind it: a verified phone, or an organisation
    that vouches for its person. `organisation` is the one they speak for, if any. `name_public` is their own choice.
    The name goes, and nothing else, once the person has closed their account.
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="comments")
    user = models.ForeignKey("identity.User", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        "identity.Organisation", on_delete=models.PROTECT, null=True, related_name="+"
    )
    name = models.TextField()
    name_public = models.BooleanField(default=False)
    known_by = models.TextField(default="phone")
    text = models.TextField()
    objection = models.BooleanField()
    documents = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(text__regex=r"^\s*$"), name="notice_comment_has_text"),
            models.CheckConstraint(condition=~models.Q(name__regex=r"^\s*$"), name="notice_comment_has_name"),
        ]
        indexes = [models.Index(fields=["user", "-at"], name="notice_comment_by_user")]
        triggers = nameless(
            column="name",
            becomes=CLOSED_NAME,
            person="user_id",
            kept=(
                "id",
                "notice_id",
                "organisation_id",
                "name_public",
                "known_by",
                "text",
                "objection",
                "documents",
                "at",
            ),
        )


class CommentWithdrawal(models.Model):
    """Somebody took back their own comment before it was answered (撤回): it stays, marked, and no longer stops the case."""

    comment = models.OneToOneField(NoticeComment, on_delete=models.PROTECT, related_name="withdrawal")
    at = models.DateTimeField()

    class Meta:
        triggers = append_only()


class CommentAnswer(models.Model):
    """The answer to a comment, published with it (答复); `upheld` says whether an objection was found right."""

    comment = models.OneToOneField(NoticeComment, on_delete=models.PROTECT, related_name="answer")
    text = models.TextField()
    upheld = models.BooleanField(null=True)
    actor_kind = models.TextField()
    actor_id = models.TextField()
    role = models.TextField(default="", blank=True)
    organisation = models.ForeignKey(
        "identity.Organisation", on_delete=models.PROTECT, null=True, related_name="+"
    )
    on_behalf_of = models.TextField(default="", blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(text__regex=r"^\s*$"), name="comment_answer_has_text")
        ]
        triggers = append_only()
