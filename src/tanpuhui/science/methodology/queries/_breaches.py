"""What must always hold of versions and panels, checked on stored rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.science.methodology.domain import VersionState, draw_order, draw_seed
from tanpuhui.science.methodology.models import MethodologyVersion, ReviewPanel


def breaches() -> Iterator[Breach]:
    """Find versions whose bytes do not have their hash, filed ones without their leaf, and panels that were not drawn so."""
    for row in MethodologyVersion.objects.order_by("id").iterator(chunk_size=50):
        subject = f"methodology_version:{row.pk}"
        actual = hashlib.sha256(bytes(row.archive)).hexdigest()
        if actual != row.archive_sha256:
            detail = f"archive {actual}, recorded {row.archive_sha256}"
            yield Breach(invariant="methodology.archive_has_its_hash", subject=subject, detail=detail)
        values = "" if row.parameter_set is None else hashlib.sha256(bytes(row.parameter_set)).hexdigest()
        if values != row.parameter_set_sha256:
            detail = f"parameter set {values}, recorded {row.parameter_set_sha256}"
            yield Breach(invariant="methodology.parameter_set_has_its_hash", subject=subject, detail=detail)
        if row.state == VersionState.FILED:
            yield from _leaf_breaches(row, subject=subject)
    yield from _panel_breaches()


def _leaf_breaches(row: MethodologyVersion, *, subject: str) -> Iterator[Breach]:
    leaf = transparency.leaf(row.leaf_id) if row.leaf_id is not None else None
    payload = leaf.payload if leaf is not None else {}
    expected = {
        "archive_sha256": row.archive_sha256,
        "parameter_set_sha256": row.parameter_set_sha256,
        "filing_number": row.filing_number,
    }
    found = {name: payload.get(name) for name in expected}
    if found != expected:
        detail = f"leaf {row.leaf_id} says {found}, the version {expected}"
        yield Breach(invariant="methodology.filed_version_has_its_leaf", subject=subject, detail=detail)


def _panel_breaches() -> Iterator[Breach]:
    """Draw every panel again from what it keeps: the seed, the order, and that nobody was called out of turn."""
    for panel in ReviewPanel.objects.order_by("id").prefetch_related("candidates", "seats_taken"):
        subject = f"review_panel:{panel.pk}"
        seed = draw_seed(log_root=panel.log_root, case_number=panel.case_number)
        order = sorted(panel.candidates.all(), key=lambda one: one.place)
        keys = [draw_order(seed=seed, expert_number=one.expert_id) for one in order]
        if (
            panel.seed != seed
            or keys != sorted(keys)
            or keys != [one.order_sha256 for one in order]
            or [one.place for one in order] != list(range(1, len(order) + 1))
        ):
            detail = "seed or order is not what head and case number give"
            yield Breach(invariant="methodology.panel_was_drawn", subject=subject, detail=detail)
        free = [one.expert_id for one in order if not one.recusal]
        called = [seat.expert_id for seat in sorted(panel.seats_taken.all(), key=lambda one: one.place)]
        if called != free[: len(called)]:
            detail = f"called {called}, in the order of the draw {free[: len(called)]}"
            yield Breach(invariant="methodology.seats_follow_the_draw", subject=subject, detail=detail)
