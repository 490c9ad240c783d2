"""Wordings, messages, their deliveries, and what each person chose (消息模板、消息、投递、通知设置)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.keys.fields import EncryptedTextField
from tanpuhui.foundation.persistence.triggers import append_only


class Template(models.Model):
    """One dated wording of one message (消息模板). It never changes: what was sent can be read again as it was."""

    key = models.TextField()
    kind = models.TextField()
    label_zh = models.TextField()
    label_en = models.TextField()
    audience = models.TextField()
    mail = models.TextField()
    sms = models.TextField()
    valid_from = models.DateField()
    fields = models.JSONField()
    title_zh = models.TextField()
    title_en = models.TextField()
    body_zh = models.TextField()
    body_en = models.TextField()
    sms_zh = models.TextField()
    link = models.TextField()
    definition_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "valid_from"], name="template_once")]
        triggers = append_only()


class Message(models.Model):
    """What one person is told about one event (消息): the wording, what fills it, where it leads, when it was read."""

    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    event = models.TextField()
    template = models.ForeignKey(Template, on_delete=models.PROTECT)
    data = models.JSONField()
    link = models.TextField()
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="message_once_per_event")]
        indexes = [
            models.Index(fields=["user", "-id"], name="message_by_user"),
            models.Index(
                fields=["user"], condition=models.Q(read_at__isnull=True), name="message_unread_by_user"
            ),
        ]


class Delivery(models.Model):
    """One message on its way out by one channel (投递): how often it was tried, when next, and how it ended."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.TextField()
    state = models.TextField()
    attempts = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(default="")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "channel"], name="delivery_once_per_channel"),
            models.CheckConstraint(
                condition=models.Q(state="waiting", settled_at__isnull=True)
                | models.Q(state__in=["sent", "given_up"], settled_at__isnull=False),
                name="delivery_settled_once",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="waiting"), name="delivery_due")
        ]


class ChannelChoice(models.Model):
    """Whether a person wants one kind of message by one channel (通知设置); without a row the kind's own rule holds."""

    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    kind = models.TextField()
    channel = models.TextField()
    wanted = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "channel"], name="channel_choice_once")
        ]


class MailAddress(models.Model):
    """Where a person reads mail (邮箱), sealed; nothing is sent there before they have confirmed that it is theirs."""

    user = models.OneToOneField("identity.User", on_delete=models.PROTECT)
    address_sealed = EncryptedTextField(context="messages.mail_address")
    given_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
