"""Recusal, draw, votes and the standing of a filed version: pure rules."""

from __future__ import annotations

import hashlib
from datetime import date
from fractions import Fraction

import pytest

from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.science.methodology.domain import (
    CandidateFacts,
    CaseInterests,
    Conclusion,
    Interest,
    Recusal,
    StatusEntry,
    StatusKind,
    Vote,
    concluded,
    draw_order,
    draw_seed,
    recusal_of,
    share,
    signed_sha256,
    standing_on,
)

CASE = CaseInterests(
    methodology_code="A01",
    parties={"APPLICANT": "申请单位"},
    party_ids=frozenset({7}),
    running=(Interest(uscc="RUNS", tie="project", reference="P0001"),),
    authors=frozenset({"3"}),
    deciders=frozenset({"4"}),
    excluded=frozenset({"5"}),
)


def expert(**given: object) -> CandidateFacts:
    facts: dict[str, object] = {
        "user_id": "1",
        "usccs": frozenset({"OWN"}),
        "organisation_ids": frozenset({2}),
        "declared": frozenset(),
    }
    return CandidateFacts(**{**facts, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"usccs": frozenset({"OWN", "APPLICANT"})}, Recusal.EMPLOYER),
        ({"organisation_ids": frozenset({2, 7})}, Recusal.MEMBER),
        ({"usccs": frozenset({"RUNS"})}, Recusal.PROJECT),
        ({"declared": frozenset({("organisation", "APPLICANT")})}, Recusal.DECLARED),
        ({"declared": frozenset({("organisation", "RUNS")})}, Recusal.DECLARED),
        ({"declared": frozenset({("project", "P0001")})}, Recusal.DECLARED),
        ({"declared": frozenset({("methodology", "A01")})}, Recusal.DECLARED),
        ({"declared": frozenset({("methodology", "A02"), ("project", "P9")})}, None),
        ({"user_id": "3"}, Recusal.AUTHOR),
        ({"user_id": "4"}, Recusal.DECIDED),
        ({"user_id": "5"}, Recusal.EXCLUDED),
    ],
)
def test_each_tie_recuses_and_nothing_else_does(given: dict[str, object], reason: Recusal | None) -> None:
    found = recusal_of(expert(**given), CASE)
    assert (found[0] if found else None) == reason


def test_the_seed_is_a_plain_hash_that_any_tool_computes() -> None:
    seed = draw_seed(log_root="ab" * 32, case_number="MU-1")
    assert seed == hashlib.sha256(("ab" * 32 + "|MU-1").encode()).hexdigest()
    assert draw_order(seed=seed, expert_number=7) == hashlib.sha256(f"{seed}|7".encode()).hexdigest()
    assert seed != draw_seed(log_root="ab" * 32, case_number="MU-2")


@pytest.mark.parametrize(
    ("votes", "conclusion"),
    [
        ("fff", Conclusion.RECOMMEND),
        ("ffa", Conclusion.RECOMMEND),
        ("ffo", Conclusion.RECOMMEND),
        ("foo", Conclusion.RETURN),
        ("fao", Conclusion.RETURN),
        ("aaf", Conclusion.REJECT),
        ("aao", Conclusion.REJECT),
        ("ooo", Conclusion.RETURN),
        ("", Conclusion.RETURN),
    ],
)
def test_the_votes_give_one_conclusion(votes: str, conclusion: Conclusion) -> None:
    letters = {"f": Vote.FOR, "a": Vote.AGAINST, "o": Vote.ABSTAIN}
    found = concluded(
        [letters[vote] for vote in votes], present=3, recommend_share=Fraction(2, 3), reject_share=Fraction(2, 3)
    )  # fmt: skip
    assert found == conclusion


@pytest.mark.parametrize("text", ["0", "4/3", "-1/2", "1/0", "most", ""])
def test_a_share_is_above_nothing_and_at_most_all(text: str) -> None:
    with pytest.raises(Invalid):
        share(text, field="recommend_share")


def test_the_signature_holds_every_word() -> None:
    content = {"account": "1", "text": "同意", "scores": {"a": 1}}
    assert signed_sha256(content) == signed_sha256(dict(reversed(content.items())))
    assert signed_sha256(content) != signed_sha256({**content, "text": "不同意"})


def entry(kind: StatusKind, day: str, until: str | None = None) -> StatusEntry:
    return StatusEntry(
        kind=kind.value,
        effective_on=date.fromisoformat(day),
        usable_until=date.fromisoformat(until) if until else None,
    )


SUSPENDED = (entry(StatusKind.SUSPENDED, "2026-03-01"), entry(StatusKind.RESUMED, "2026-05-01"))
SUPERSEDED = (entry(StatusKind.SUPERSEDED, "2026-03-01", "2026-12-31"),)
REPEALED = (entry(StatusKind.REPEALED, "2026-03-01"),)


@pytest.mark.parametrize(
    ("entries", "day", "started", "standing"),
    [
        ((), "2026-03-01", "2026-03-01", None),
        (SUSPENDED, "2026-02-28", "2026-02-28", None),
        (SUSPENDED, "2026-03-01", "2020-01-01", StatusKind.SUSPENDED),
        (SUSPENDED, "2026-05-01", "2026-05-01", None),
        (SUPERSEDED, "2026-03-01", "2026-03-01", StatusKind.SUPERSEDED),
        (SUPERSEDED, "2026-12-31", "2026-02-28", None),
        (SUPERSEDED, "2027-01-01", "2026-02-28", StatusKind.SUPERSEDED),
        (REPEALED, "2026-02-28", "2026-02-28", None),
        (REPEALED, "2026-03-01", "2020-01-01", StatusKind.REPEALED),
        ((*SUPERSEDED, *SUSPENDED[:1]), "2026-06-01", "2026-01-01", StatusKind.SUSPENDED),
    ],
)
def test_what_stands_against_a_filed_version_on_a_day(
    entries: tuple[StatusEntry, ...], day: str, started: str, standing: StatusKind | None
) -> None:
    assert (
        standing_on(entries, day=date.fromisoformat(day), started_on=date.fromisoformat(started)) == standing
    )
