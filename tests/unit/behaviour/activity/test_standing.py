"""Days on which a scenario stands still, out of decisions in any order."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.behaviour.activity.domain.standing import Span, Standing, StatusRow, standing_on, stops

FIRST = date(2026, 11, 1)
ROWS = st.lists(
    st.builds(
        StatusRow,
        standing=st.sampled_from(list(Standing)),
        from_day=st.integers(0, 12).map(lambda n: FIRST + timedelta(days=n)),
    ),
    max_size=6,
)


def row(standing: Standing, day: int) -> StatusRow:
    return StatusRow(standing=standing, from_day=FIRST + timedelta(days=day))


def test_a_scenario_without_decisions_runs() -> None:
    assert stops(()) == ()
    assert standing_on((), FIRST) is Standing.LIVE


def test_a_suspension_ends_the_day_before_it_resumes() -> None:
    rows = (row(Standing.SUSPENDED, 3), row(Standing.LIVE, 6))
    assert stops(rows) == (
        Span(standing=Standing.SUSPENDED, first_day=date(2026, 11, 4), last_day=date(2026, 11, 6)),
    )


def test_a_later_decision_takes_the_place_of_an_earlier_one_that_begins_later() -> None:
    rows = (row(Standing.SUSPENDED, 9), row(Standing.CLOSED, 5))
    assert stops(rows) == (Span(standing=Standing.CLOSED, first_day=date(2026, 11, 6), last_day=None),)


@given(ROWS)
def test_the_spans_are_exactly_the_days_on_which_it_does_not_run(rows: list[StatusRow]) -> None:
    spans = stops(rows)
    for number in range(-1, 20):
        day = FIRST + timedelta(days=number)
        within = [
            one for one in spans if one.first_day <= day and (one.last_day is None or day <= one.last_day)
        ]
        found = standing_on(rows, day)
        assert [one.standing for one in within] == ([] if found is Standing.LIVE else [found])
