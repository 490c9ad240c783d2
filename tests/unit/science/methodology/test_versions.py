"""What a methodology version may become, and from when it holds."""

from __future__ import annotations

from datetime import date

import pytest

from tanpuhui.science.methodology.domain import (
    MAY_BECOME,
    STATE_AFTER,
    VersionState,
    filing_number,
    holds_from,
)

EARLY, FILED, LATE = date(2026, 1, 1), date(2026, 6, 1), date(2026, 7, 1)


@pytest.mark.parametrize(
    ("purpose", "proposed", "expected"),
    [
        ("operation", None, FILED),
        ("operation", LATE, LATE),
        ("operation", EARLY, FILED),
        ("demonstration", EARLY, EARLY),
        ("test", EARLY, EARLY),
    ],
)
def test_only_what_is_labelled_as_no_operation_reaches_back(
    purpose: str, proposed: date | None, expected: date
) -> None:
    assert holds_from(purpose=purpose, proposed_from=proposed, filing_day=FILED) == expected


def test_every_state_can_be_reached_and_a_filed_version_stays() -> None:
    reachable = {VersionState.DRAFT}
    for _ in VersionState:
        reachable |= {target for state in reachable for target in MAY_BECOME[state]}
    assert reachable == set(VersionState)
    assert MAY_BECOME[VersionState.FILED] == set()


def test_every_outcome_leads_to_a_state_that_some_state_may_become() -> None:
    for state in STATE_AFTER.values():
        assert any(state in targets for targets in MAY_BECOME.values())


def test_filing_numbers_are_read_aloud_easily() -> None:
    assert filing_number(prefix="AB", year=2026, seq=3) == "AB-FA-2026-0003"
