"""Chunk counts, points, hashes and reasons, without a database."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tanpuhui.behaviour.activity.domain import (
    GENESIS,
    MENDABLE,
    REASONS,
    PostingContent,
    Verdict,
    chunk_count,
    needs_correction,
    neutral_cell,
    points_for,
    posting_hash,
    reason_text,
    rows_to_mend,
)

CONTENT = PostingContent(
    partner_id=1, batch_id=2, file_sha256="ab", scenario="bus", methodology_version_id=3, methodology_sha256="cd",
    parameter_set_sha256="ef", engine_version="1", rounding="FLOOR_1G", evidence_tier=1, month="2026-11", records=1, account_days=1, accounts=1, grams=436, points=43,
    points_rules=({"key": "points.per_gram", "value": "1/10"},), amounts_sha256="01", traces_sha256="02",
    inputs_sha256="03", results_sha256="04", posted_at="2026-11-20T02:00:00+00:00",
)  # fmt: skip


@pytest.mark.parametrize(
    ("records", "chunks"),
    [(1, 1), (4_000, 1), (11_999, 2), (12_000, 4), (100_000, 32), (1_000_000, 256), (100_000_000, 256)],
)
def test_chunks_are_a_power_of_two_near_one_per_4000_records(records: int, chunks: int) -> None:
    assert chunk_count(records) == chunks


def test_points_are_the_exact_product_floored_towards_zero() -> None:
    grams = np.array([436, 9, -436, 0], np.int64)
    assert points_for(grams, Fraction("1/10")).tolist() == [43, 0, -43, 0]
    assert points_for(grams, Fraction("1/3")).tolist() == [145, 3, -145, 0]


def test_a_hash_changes_with_every_field_and_with_what_came_before() -> None:
    first = posting_hash(CONTENT, GENESIS)
    assert posting_hash(replace(CONTENT, grams=437), GENESIS) != first
    assert posting_hash(replace(CONTENT, points_rules=()), GENESIS) != first
    assert posting_hash(replace(CONTENT, engine_version="2"), GENESIS) != first
    assert posting_hash(CONTENT, first) != first
    assert posting_hash(CONTENT, GENESIS) == first


@pytest.mark.parametrize("cell", ["=1+1", "+49", "-2", "@x", "\tx"])
def test_a_formula_is_neutral_in_the_report(cell: str) -> None:
    assert neutral_cell(cell) == f"'{cell}"
    assert neutral_cell("plain") == "plain"


def test_every_reason_has_a_verdict_and_both_languages() -> None:
    assert all(reason.zh and reason.en and reason.verdict in Verdict for reason in REASONS.values())
    assert reason_text("TOO_LATE", "en") != reason_text("TOO_LATE", "zh")
    assert reason_text("A_METHODOLOGYS_OWN") == "A_METHODOLOGYS_OWN"


def test_only_rejected_rows_are_the_senders_to_mend_and_others_do_not_count() -> None:
    assert {REASONS[code].verdict for code in MENDABLE} == {Verdict.REJECTED}
    assert MENDABLE.isdisjoint(
        {"NO_CONSENT", "TOO_LATE", "NO_METHODOLOGY", "PARAMETER_UNSET", "CAP_NOT_SUPPORTED"}
    )
    assert rows_to_mend({"BAD_TIME": 2, "BAD_ROW": 1, "NO_CONSENT": 90, "A_METHODOLOGYS_OWN": 7}) == 3


@pytest.mark.parametrize(
    ("rows", "to_mend", "refused", "share", "needed"),
    [
        (200, 1, False, "1/200", False),
        (199, 1, False, "1/200", True),
        (200, 200, False, None, False),
        (0, 0, True, None, False),
        (0, 0, True, "1/200", True),
        (0, 0, False, "0", False),
        (9, 1, False, "0", True),
    ],
)
def test_a_correction_is_asked_for_above_the_share_that_the_rule_sets(
    rows: int, to_mend: int, refused: bool, share: str | None, needed: bool
) -> None:
    share_max = None if share is None else Fraction(share)
    assert needs_correction(rows=rows, to_mend=to_mend, refused=refused, share_max=share_max) is needed
