"""Letters that decisions produce, each with a number of its own (决定书、文号)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.foundation.workflow.models.cases import Decision


class LetterSequence(models.Model):
    """The last number given per kind of letter and year; the row lock makes the numbers gapless."""

    kind = models.TextField()
    year = models.IntegerField()
    last = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "year"], name="letter_sequence_once")]


class DecisionLetter(models.Model):
    """The letter of one decision: its kind and number, given in the transaction of the decision, never changed."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="letter")
    kind = models.TextField()
    number = models.TextField(unique=True)
    at = models.DateTimeField()

    class Meta:
        triggers = append_only()
