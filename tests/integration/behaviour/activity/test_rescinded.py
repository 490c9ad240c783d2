"""A rejection of an application that is rescinded leaves it where it was; one that is live is not taken back this way."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.integration.behaviour.activity.test_admission import (
    CHECKER,
    MAKER,
    decided,
    submitted,
    to_notice,
    town,
)
from tests.integration.behaviour.activity.test_sandbox import rides, tried
from tests.integration.behaviour.activity.town import Town, csv
from tests.integration.foundation.workflow.amending import rescind_last

from tanpuhui.behaviour.activity import queries
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import CannotRescind, end_notices

__all__ = ["submitted", "town"]
pytestmark = pytest.mark.django_db


def test_a_rejected_application_is_with_the_centre_again(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    application_id, case_id = submitted
    decided(MAKER, case_id, "accept", now)
    tried(town, application_id, csv(*rides(3)), at=now)
    decided(town.partner, case_id, "ready", now)
    decided(MAKER, case_id, "pass", now)
    before = workflow.case(case_id).state
    decided(CHECKER, case_id, "reject", now)
    assert queries.application(application_id).state == "rejected"
    rescind_last(case_id, at=now, area="990000")
    assert (queries.application(application_id).state, workflow.case(case_id).state) == ("applied", before)


def test_a_scenario_that_is_live_is_suspended_not_rescinded(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    application_id, case_id = submitted
    to_notice(town, application_id, case_id, now)
    end_notices(at=now + timedelta(days=7))
    with pytest.raises(CannotRescind):
        rescind_last(case_id, at=now + timedelta(days=8), area="990000")
    assert queries.application(application_id).state == "live"
