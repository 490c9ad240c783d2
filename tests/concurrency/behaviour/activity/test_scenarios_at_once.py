"""Two people at one application or one scenario at the same moment: one is first, the other sees what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.activity.test_admission import (
    CHECKER,
    MAKER,
    OTHER_MAKER,
    decided,
    submit,
    to_notice,
)
from tests.integration.behaviour.activity.test_sandbox import content, rides, tried
from tests.integration.behaviour.activity.town import (
    DEMONSTRATION,
    HUANGHAI,
    Town,
    build,
    csv,
    file_methodology,
)

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Feed, Scenario, ScenarioApplication
from tanpuhui.behaviour.activity.operations import (
    ApplicationSaved,
    ApplicationSubmitted,
    SampleTried,
    StandingProposed,
    open_application,
    propose_standing,
    save_application,
    submit_application,
)
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import end_notices

pytestmark = pytest.mark.concurrency


@pytest.fixture
def town(committed_database: CommittedDatabase, now: datetime) -> Town:
    built = build(subjects=(), scenarios=(), with_accounts=False)
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI, packs=("base", "demonstration"))
    file_methodology("a01-bus", parameter_set=DEMONSTRATION)
    return built


def codes(results: Any) -> Counter[str]:
    """Count the refusals by code, and what was done by the name of its result."""
    return Counter(
        result.code if isinstance(result, Refusal) else type(result).__name__ for result in results
    )


def test_two_saves_of_one_version_keep_the_first_and_tell_the_second(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    opened = open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=content(), idempotency_key="o"
    )

    def save(name: str) -> Callable[[], Any]:
        return lambda: save_application(
            actor=town.partner, at=now, application_id=opened.application_id, version=1, content=content(name_zh=name),
            idempotency_key=name,
        )  # fmt: skip

    results = committed_database.run_together(save("甲"), save("乙"))
    assert codes(results) == {ApplicationSaved.__name__: 1, "APPLICATION_CHANGED": 1}
    assert len(queries.application_versions(opened.application_id)) == 2


def test_submitted_twice_at_once_it_has_one_case(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    opened = open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=content(), idempotency_key="o"
    )

    def send(key: str) -> Callable[[], Any]:
        return lambda: submit_application(
            actor=town.partner, at=now, application_id=opened.application_id, version=1, idempotency_key=key
        )

    results = committed_database.run_together(send("a"), send("b"))
    assert codes(results) == {ApplicationSubmitted.__name__: 1, "APPLICATION_NOT_EDITABLE": 1}


def test_a_sample_and_a_save_at_once_are_both_whole_and_the_sample_says_what_it_proves(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    opened = open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=content(), idempotency_key="o"
    )

    def save() -> Any:
        return save_application(
            actor=town.partner, at=now, application_id=opened.application_id, version=1,
            content=content(evidence_tier=2), idempotency_key="s",
        )  # fmt: skip

    sample, saved = committed_database.run_together(
        lambda: tried(town, opened.application_id, csv(*rides(3)), at=now), save
    )
    assert isinstance(sample, SampleTried), sample
    assert isinstance(saved, ApplicationSaved), saved
    found = queries.sample(sample.sample_id)
    assert (
        found.definition_sha256
        == queries.application(opened.application_id, version=found.version).definition_sha256
    )
    assert found.current is (found.version == 2)


def test_the_end_of_a_notice_and_a_rejection_at_once_leave_one_of_them(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    application_id, case_id = submit(town, now)
    to_notice(town, application_id, case_id, now)
    later = now + timedelta(days=9)
    committed_database.run_together(
        lambda: end_notices(at=later), lambda: decided(CHECKER, case_id, "reject", later)
    )
    state = ScenarioApplication.objects.get(pk=application_id).state
    assert (state, Scenario.objects.count(), Feed.objects.count()) in {
        ("live", 1, 1),
        ("rejected", 0, 0),
    }
    assert list(queries.breaches()) == []


def test_two_changes_of_one_scenario_at_once_are_one(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    application_id, case_id = submit(town, now)
    to_notice(town, application_id, case_id, now)
    end_notices(at=now + timedelta(days=7))

    def propose(maker: Any) -> Callable[[], Any]:
        return lambda: propose_standing(
            actor=maker, at=now, scenario="bus", standing="suspended", from_day=date(2026, 11, 30), reason="核查",
            idempotency_key="p",
        )  # fmt: skip

    results = committed_database.run_together(propose(MAKER), propose(OTHER_MAKER))
    assert codes(results) == {StandingProposed.__name__: 1, "STANDING_CHANGE_OPEN": 1}
