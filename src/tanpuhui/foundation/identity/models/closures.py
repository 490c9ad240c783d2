"""Closures of accounts (账户注销)."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models


class AccountClosure(models.Model):
    """A person's wish to close their account (账户注销), until they take it back or the account is closed.

    `put_off_for` names what kept it open at the last try; it is done once that is. The row is about a number by then.
    """

    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    put_off_for = ArrayField(models.TextField(), default=list)
    cancelled_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(cancelled_at__isnull=True),
                name="account_closure_one_that_stands",
            ),
            models.CheckConstraint(
                condition=models.Q(cancelled_at__isnull=True) | models.Q(closed_at__isnull=True),
                name="account_closure_ends_one_way",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(closed_at__gte=models.F("due_at")),
                name="account_closure_not_before_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(cancelled_at__isnull=True, closed_at__isnull=True),
                name="account_closure_due",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="ends_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=(
                    "IF OLD.cancelled_at IS NOT NULL OR OLD.closed_at IS NOT NULL OR (NEW.user_id, NEW.requested_at, "
                    "NEW.due_at) IS DISTINCT FROM (OLD.user_id, OLD.requested_at, OLD.due_at) THEN "
                    "RAISE EXCEPTION 'closure %: it ends once, and what was asked never changes', OLD.id; END IF; "
                    "RETURN NEW;"
                ),
            ),
        ]
