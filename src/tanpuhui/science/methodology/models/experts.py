"""Experts, their terms, and what they declared (专家、聘期、利害关系申报)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.science.methodology.domain import ExpertState, InterestKind

TERM_STAYS = """
    IF (to_jsonb(OLD) - '{state,case_id,settled_at,ended_on,ended_reason}'::text[])
        IS DISTINCT FROM (to_jsonb(NEW) - '{state,case_id,settled_at,ended_on,ended_reason}'::text[])
        OR (OLD.ended_on IS NOT NULL AND NEW.ended_on IS DISTINCT FROM OLD.ended_on)
    THEN
        RAISE EXCEPTION 'expert term %: what was proposed never changes; another term is another row', OLD.id;
    END IF;
    RETURN NEW;
"""


class Expert(models.Model):
    """A person of the pool; the primary key is the public number of the expert (专家编号)."""

    user = models.OneToOneField("identity.User", on_delete=models.PROTECT)
    entered_at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="no_expert_delete", operation=pgtrigger.Delete)]


class ExpertTerm(models.Model):
    """One term of an expert (聘期), first and last day included, with what holds during it. A renewal is another row."""

    expert = models.ForeignKey(Expert, on_delete=models.PROTECT, related_name="terms")
    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    employer_name = models.TextField()
    employer_uscc = models.CharField(max_length=18)
    title = models.TextField()
    fields = models.JSONField()
    term_from = models.DateField()
    term_to = models.DateField()
    state = models.TextField(default=ExpertState.PROPOSED)
    case_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()
    proposed_by = models.TextField()
    settled_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)
    ended_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ExpertState]),
                name="expert_term_state",
            ),
            models.CheckConstraint(
                condition=models.Q(term_to__gte=models.F("term_from")),
                name="expert_term_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_on__isnull=True) | ~models.Q(ended_reason=""),
                name="expert_term_ends_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["state", "term_from", "term_to"], name="expert_term_by_days")]
        triggers = [
            pgtrigger.Protect(name="no_term_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="term_stays", when=pgtrigger.Before, operation=pgtrigger.Update, func=TERM_STAYS
            ),
        ]


class ExpertInterest(models.Model):
    """An interest that an expert declared (利害关系); withdrawn, it stays on record."""

    expert = models.ForeignKey(Expert, on_delete=models.PROTECT, related_name="interests")
    kind = models.TextField()
    reference = models.TextField()
    note = models.TextField(default="", blank=True)
    declared_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in InterestKind]),
                name="expert_interest_kind",
            ),
            models.UniqueConstraint(
                fields=["expert", "kind", "reference"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="expert_interest_declared_once",
            ),
        ]
        triggers = [pgtrigger.Protect(name="no_interest_delete", operation=pgtrigger.Delete)]
