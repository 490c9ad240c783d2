"""The public log (公开日志): leaves as they are recorded, the tree over them, and the signed heads."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.books.transparency.domain.leaves import LeafKind
from tanpuhui.foundation.persistence.conditions import holds
from tanpuhui.foundation.persistence.triggers import append_only

_NO_TRUNCATE = [trigger for trigger in append_only() if trigger.name == "no_truncate"]


class Leaf(models.Model):
    """One act of record (叶). It arrives without an index; the sequencer gives it one, once, and nothing else changes.

    `leaf_bytes` is the canonical JSON that was hashed; kind, subject and time stand in it too and are columns to find it.
    """

    kind = models.TextField(choices=[(kind.value, kind.value) for kind in LeafKind])
    subject = models.TextField()
    recorded_at = models.DateTimeField()
    leaf_bytes = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    index = models.BigIntegerField(null=True, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="transparency_leaf_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in LeafKind]), name="transparency_leaf_kind"
            ),
            models.CheckConstraint(
                condition=holds("leaf_hash = sha256('\\x00'::bytea || leaf_bytes)"),
                name="transparency_leaf_hash",
            ),
            models.CheckConstraint(condition=models.Q(index__gte=0), name="transparency_leaf_index"),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(index__isnull=True), name="transparency_unsequenced"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="arrives_unsequenced",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__index__isnull=False),
            ),
            pgtrigger.Trigger(
                name="sequenced_once",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.index IS NOT NULL OR NEW.index IS NULL
                       OR (NEW.id, NEW.kind, NEW.subject, NEW.recorded_at, NEW.leaf_bytes, NEW.leaf_hash)
                          IS DISTINCT FROM
                          (OLD.id, OLD.kind, OLD.subject, OLD.recorded_at, OLD.leaf_bytes, OLD.leaf_hash)
                    THEN
                        RAISE EXCEPTION 'pgtrigger: Cannot change leaf % except to give it its index, once', OLD.id;
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            *_NO_TRUNCATE,
        ]


class Node(models.Model):
    """The root over one full subtree of 2^level leaves (level 1 and up), kept so that a proof reads O(log n) rows."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    node_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(level__gte=1, index__gte=0), name="transparency_node_place"
            ),
        ]
        triggers = append_only()


class Head(models.Model):
    """One signed head (树头). `head_bytes` is the canonical JSON that both signatures are over."""

    number = models.BigIntegerField(primary_key=True)
    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    previous_size = models.BigIntegerField(unique=True)
    previous_root = models.BinaryField(max_length=32)
    signed_at = models.DateTimeField()
    head_bytes = models.BinaryField()
    signatures = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__gte=1, previous_size__gte=0, size__gt=models.F("previous_size")),
                name="transparency_head_grows",
            ),
        ]
        triggers = append_only()
