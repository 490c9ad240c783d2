"""Panels, who could have sat on them, and who sits (专家组、候选人、席位)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.science.methodology.domain import SeatState
from tanpuhui.science.methodology.models.experts import Expert, ExpertTerm
from tanpuhui.science.methodology.models.versions import MethodologyFiling

SEAT_STAYS = """
    IF (to_jsonb(OLD) - '{state,declared_at,declaration,left_at,left_reason}'::text[])
        IS DISTINCT FROM (to_jsonb(NEW) - '{state,declared_at,declaration,left_at,left_reason}'::text[])
        OR OLD.left_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'panel seat %: who left a seat never takes it again, and a seat is not given to another', OLD.id;
    END IF;
    RETURN NEW;
"""


class ReviewPanel(models.Model):
    """The panel of one filing (专家组): its terms as they were set, and everything the draw was made from."""

    filing = models.OneToOneField(MethodologyFiling, on_delete=models.PROTECT, related_name="panel")
    case_id = models.BigIntegerField(unique=True)
    case_number = models.TextField()
    fields = models.JSONField()
    seats = models.SmallIntegerField()
    quorum = models.SmallIntegerField()
    recommend_share = models.TextField()
    reject_share = models.TextField()
    terms_basis = models.JSONField()
    score_max = models.SmallIntegerField()
    criteria = models.JSONField()
    sheet_sha256 = models.CharField(max_length=64)
    log_head = models.IntegerField()
    log_root = models.CharField(max_length=64)
    seed = models.CharField(max_length=64)
    drawn_at = models.DateTimeField()
    drawn_by = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quorum__gte=1, seats__gte=models.F("quorum")), name="panel_seats_hold_the_quorum"
            )
        ]
        triggers = append_only()


class PanelCandidate(models.Model):
    """An expert in term and of the fields when the panel was drawn, in the order of the draw; recused with the reason."""

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="candidates")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT)
    term = models.ForeignKey(ExpertTerm, on_delete=models.PROTECT)
    place = models.SmallIntegerField()
    order_sha256 = models.CharField(max_length=64)
    recusal = models.TextField(default="", blank=True)
    recusal_detail = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["panel", "expert"], name="panel_candidate_once"),
            models.UniqueConstraint(fields=["panel", "place"], name="panel_candidate_place_once"),
        ]
        triggers = append_only()


class PanelSeat(models.Model):
    """An expert called to the panel, in the order of the draw (席位)."""

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="seats_taken")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT, related_name="seats")
    place = models.SmallIntegerField()
    state = models.TextField(default=SeatState.SEATED)
    seated_at = models.DateTimeField()
    declared_at = models.DateTimeField(null=True)
    declaration = models.TextField(default="", blank=True)
    left_at = models.DateTimeField(null=True)
    left_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["panel", "expert"], name="panel_seat_once"),
            models.CheckConstraint(
                condition=Q(state__in=["seated", "declared"], left_at__isnull=True)
                | (Q(state__in=["recused", "passed_over", "excluded"], left_at__isnull=False) & ~Q(left_reason="")),
                name="panel_seat_is_left_for_a_reason",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["expert", "state"], name="panel_seat_by_expert")]
        triggers = [
            pgtrigger.Protect(name="no_seat_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="seat_stays", when=pgtrigger.Before, operation=pgtrigger.Update, func=SEAT_STAYS
            ),
        ]


class ExpertExclusion(models.Model):
    """That an expert is taken off a panel for a conflict found later (移出专家组): proposed by one person, confirmed by another."""

    panel = models.ForeignKey(ReviewPanel, on_delete=models.PROTECT, related_name="exclusions")
    expert = models.ForeignKey(Expert, on_delete=models.PROTECT)
    reason = models.TextField()
    proposed_at = models.DateTimeField()
    proposed_by = models.JSONField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "expert"],
                condition=Q(confirmed_at__isnull=True),
                name="exclusion_open_once",
            )
        ]
        triggers = [pgtrigger.Protect(name="no_exclusion_delete", operation=pgtrigger.Delete)]
