"""Accounts, journals, entries and balances of the one book in which grams, points and fen are kept (账簿)."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from tanpuhui.foundation.persistence.conditions import holds
from tanpuhui.foundation.persistence.fields import FenField, GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only


class LedgerAccount(models.Model):
    """One account of the book (账户): of an owner known elsewhere by type and id, or of the system by code."""

    owner_type = models.TextField()
    owner_id = models.BigIntegerField(null=True)
    system_code = models.TextField(null=True, unique=True)
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_account"
        constraints = [
            models.UniqueConstraint(fields=["owner_type", "owner_id"], name="ledger_account_one_per_owner"),
            models.CheckConstraint(
                condition=holds(
                    "(owner_type = 'system') = (system_code is not null)"
                    " and (system_code is null) = (owner_id is not null)"
                ),
                name="ledger_account_owner_or_system",
            ),
        ]
        triggers = append_only()


class Journal(models.Model):
    """One balanced booking (分录凭证), once per kind and reference. The digest seals its entries.

    `grams`, `points` and `fen` are the turnover: the sum of the positive entries, equal to that of the negative.
    `restores` says that points come back to the lots they left, with their first expiry.
    """

    kind = models.TextField()
    reference = models.TextField()
    at = models.DateTimeField()
    entries = models.IntegerField()
    grams = GramsField()
    points = PointsField()
    fen = FenField()
    restores = models.BooleanField(default=False)
    digest = models.BinaryField(max_length=32)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "ledger_journal"
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="ledger_journal_once")]
        triggers = append_only()


class Entry(models.Model):
    """One line of a journal (分录): what one account got (positive) or gave (negative) for one business day.

    There is no foreign key on purpose: checking one per row would cost a bulk posting more than writing the rows,
    so the posting function counts the accounts once, and `queries.breaches` looks for orphans.
    """

    pk = models.CompositePrimaryKey("account_id", "day", "journal_id")
    account_id = models.BigIntegerField()
    day = models.DateField()
    journal_id = models.BigIntegerField()
    grams = GramsField()
    points = PointsField()
    fen = FenField()
    n_records = models.IntegerField()

    class Meta:
        db_table = "ledger_entry"
        indexes = [
            # Rows arrive in the order of journals, so a block range index finds a journal's and costs nothing to keep.
            BrinIndex(
                fields=["journal_id"], name="ledger_entry_by_journal", pages_per_range=16, autosummarize=True
            )
        ]
        triggers = append_only()


class Balance(models.Model):
    """What an owner's account holds now (余额). System accounts have none, so that they are never a hot row.

    `clawback_due_*` is what a correction took back but the account no longer had.
    """

    account_id = models.BigIntegerField(primary_key=True)
    grams = GramsField()
    points = PointsField()
    fen = FenField()
    version = models.BigIntegerField()
    clawback_due_grams = GramsField()
    clawback_due_points = PointsField()

    class Meta:
        db_table = "ledger_balance"
        constraints = [
            models.CheckConstraint(
                condition=holds("grams >= 0 and points >= 0 and fen >= 0"),
                name="ledger_balance_not_negative",
            ),
            models.CheckConstraint(
                condition=holds("clawback_due_grams >= 0 and clawback_due_points >= 0"),
                name="ledger_balance_due_not_negative",
            ),
        ]


class ClawbackMovement(models.Model):
    """What a journal should have taken and could not (positive), or took later (negative) (待追回)."""

    pk = models.CompositePrimaryKey("account_id", "journal_id")
    account_id = models.BigIntegerField()
    journal_id = models.BigIntegerField()
    grams = GramsField()
    points = PointsField()

    class Meta:
        db_table = "ledger_clawback"
        indexes = [models.Index(fields=["journal_id"], name="ledger_clawback_by_journal")]
        triggers = append_only()
