"""Cases, their parties and their decisions (案件、当事方、决定)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only

STARTS_RIGHT = """
    IF NEW.step <> 0 THEN
        RAISE EXCEPTION 'case % begins at step 0, not %', NEW.number, NEW.step;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM rulebook_processstate s
        WHERE s.process_version_id = NEW.process_version_id AND s.code = NEW.state AND s.initial
    ) THEN
        RAISE EXCEPTION 'case %: % is no initial state of process version %',
            NEW.number, NEW.state, NEW.process_version_id;
    END IF;
    RETURN NEW;
"""

MOVES_RIGHT = """
    IF (NEW.number, NEW.process, NEW.process_version_id, NEW.subject_type, NEW.subject_id, NEW.area, NEW.opened_at,
        NEW.opened_by_kind, NEW.opened_by_id) IS DISTINCT FROM
       (OLD.number, OLD.process, OLD.process_version_id, OLD.subject_type, OLD.subject_id, OLD.area, OLD.opened_at,
        OLD.opened_by_kind, OLD.opened_by_id)
       OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id
    THEN
        RAISE EXCEPTION 'case %: its number, process version, subject, area and opener never change', OLD.number;
    END IF;
    IF NEW.step = OLD.step AND NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NEW.step = OLD.step + 1 AND EXISTS (
        SELECT 1 FROM workflow_decision d JOIN workflow_decision r ON r.id = d.rescinds_id
        WHERE d.case_id = OLD.id AND d.step = NEW.step AND r.case_id = OLD.id
            AND r.to_state = OLD.state AND r.from_state = NEW.state AND r.rescinds_id IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM workflow_decision e
                WHERE e.case_id = OLD.id AND e.step > r.step AND e.step < d.step AND e.rescinds_id IS NULL
                    AND NOT EXISTS (SELECT 1 FROM workflow_decision u WHERE u.rescinds_id = e.id)
            )
    ) THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM rulebook_transition t
        WHERE t.process_version_id = OLD.process_version_id AND t.source = OLD.state AND t.target = NEW.state
    ) THEN
        RAISE EXCEPTION 'case %: % to % is no transition of process version %',
            OLD.number, OLD.state, NEW.state, OLD.process_version_id;
    END IF;
    IF NEW.step <> OLD.step + 1 OR NOT EXISTS (
        SELECT 1 FROM workflow_decision d JOIN rulebook_transition t
            ON t.source = d.from_state AND t.target = d.to_state AND t.outcome = d.outcome AND t.role = d.role
        WHERE d.case_id = OLD.id AND d.step = NEW.step AND d.from_state = OLD.state AND d.to_state = NEW.state
            AND t.process_version_id = OLD.process_version_id
    ) THEN
        RAISE EXCEPTION 'case %: % to % has no decision of step %', OLD.number, OLD.state, NEW.state, NEW.step;
    END IF;
    RETURN NEW;
"""


class CaseSequence(models.Model):
    """The last case number given per process and year; the row lock makes the numbers gapless."""

    process = models.TextField()
    year = models.IntegerField()
    last = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "year"], name="case_sequence_once")]


class Case(models.Model):
    """One run of a pinned process version about one subject (案件).

    `deadline_day` is the nearer of the present step's deadline and the whole case's; `deadline_working_days` belongs to
    it. `assigned_to` holds the present step for one person of `assigned_role`; every move clears it.
    """

    number = models.TextField(unique=True)
    process = models.TextField()
    process_version = models.ForeignKey("rulebook.ProcessVersion", on_delete=models.PROTECT)
    subject_type = models.TextField()
    subject_id = models.TextField()
    title = models.TextField()
    area = models.CharField(max_length=6)
    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT, null=True)
    state = models.TextField()
    step = models.IntegerField(default=0)
    opened_at = models.DateTimeField()
    opened_by_kind = models.TextField()
    opened_by_id = models.TextField()
    entered_at = models.DateTimeField()
    deadline_working_days = models.SmallIntegerField(null=True)
    deadline_day = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey("identity.User", on_delete=models.PROTECT, null=True, related_name="+")
    assigned_role = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(assigned_to__isnull=True, assigned_role="")
                | (models.Q(assigned_to__isnull=False) & ~models.Q(assigned_role="")),
                name="case_assigned_in_a_role",
            ),
            models.UniqueConstraint(
                fields=["process", "subject_type", "subject_id"],
                condition=models.Q(closed_at__isnull=True),
                name="case_one_running_per_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "id"], name="case_by_subject"),
            models.Index(
                fields=["process_version", "state", "area"],
                condition=models.Q(closed_at__isnull=True),
                name="case_running_by_state",
            ),
            models.Index(
                fields=["assigned_to"], condition=models.Q(assigned_to__isnull=False), name="case_by_assignee"
            ),
            models.Index(
                fields=["deadline_day", "entered_at", "id"],
                condition=models.Q(closed_at__isnull=True),
                name="case_running_by_deadline",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="starts_right", when=pgtrigger.Before, operation=pgtrigger.Insert, func=STARTS_RIGHT
            ),
            pgtrigger.Trigger(
                name="moves_right", when=pgtrigger.Before, operation=pgtrigger.Update, func=MOVES_RIGHT
            ),
        ]


class CaseParty(models.Model):
    """The organisation that acts in one role on one case, for example its verifier (当事方)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="parties")
    role = models.TextField()
    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    named_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "role"], name="case_one_party_per_role")]
        triggers = append_only()


class Decision(models.Model):
    """One step of one case: outcome, opinion, who, for which organisation, when (决定).

    `on_behalf_of` is the person who delegated the role, `values` what the process asked for. A decision that rescinds
    an earlier one (撤销) leads back to where that one came from. `sha256` signs all of it, chained to the step before.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    step = models.IntegerField()
    outcome = models.TextField()
    from_state = models.TextField()
    to_state = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    role = models.TextField()
    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT, null=True)
    opinion = models.TextField()
    evidence = models.JSONField(default=list)
    at = models.DateTimeField()
    on_behalf_of = models.TextField(default="", blank=True)
    values = models.JSONField(default=dict)
    rescinds = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="rescinded_by")
    sha256 = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "step"], name="decision_one_per_step"),
            models.CheckConstraint(condition=models.Q(step__gte=1), name="decision_step_from_one"),
            models.CheckConstraint(condition=~models.Q(opinion__regex=r"^\s*$"), name="decision_has_opinion"),
        ]
        indexes = [models.Index(fields=["case", "outcome", "step"], name="decision_by_outcome")]
        triggers = append_only()
