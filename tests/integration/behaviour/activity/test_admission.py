"""A scenario goes live through its case: first check, docking, assessment, notice; nothing opens before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from pytest_django import Settings
from tests.integration.behaviour.activity.test_sandbox import content, rides, tried
from tests.integration.behaviour.activity.town import DEMONSTRATION as PARAMETERS
from tests.integration.behaviour.activity.town import HUANGHAI, Town, build, csv, file_methodology

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.admission import MethodologyNotFiled, SubCentreFirst
from tanpuhui.behaviour.activity.domain.applications import (
    ApplicationIncomplete,
    ApplicationNotEditable,
    ApplicationRuns,
    FeedStands,
    ScenarioContent,
    ScenarioIsClosed,
    ScenarioNotDecided,
)
from tanpuhui.behaviour.activity.domain.quality import SampleMissing, SampleNotPassed, SampleOfOtherVersion
from tanpuhui.behaviour.activity.operations import (
    accept_sample,
    go_live,
    open_application,
    open_scenario,
    propose_standing,
    save_application,
    submit_application,
)
from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, end_notices

pytestmark = pytest.mark.django_db


def person(number: int, role: Role, area: str = "990000", organisation_id: int | None = None) -> Actor:
    return Actor(
        kind="user", id=str(number), grants=(Grant(role=role, area=area, organisation_id=organisation_id),)
    )


MAKER = person(9001, Role.MAKER)
OTHER_MAKER = person(9002, Role.MAKER)
CHECKER = person(9003, Role.CHECKER)
FIRST = person(9004, Role.SUBCENTRE, "990100")


@pytest.fixture
def town(db: None, now: datetime, settings: Settings) -> Town:
    """Build a town whose partner sends nothing yet, with the rules of the demonstration."""
    settings.TANPUHUI_JURISDICTION_DIR = HUANGHAI
    built = build(subjects=(), scenarios=(), with_accounts=False)
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI, packs=("base", "demonstration"))
    return built


@pytest.fixture
def submitted(town: Town, now: datetime) -> tuple[int, int]:
    file_methodology("a01-bus", parameter_set=PARAMETERS)
    return submit(town, now)


def submit(town: Town, at: datetime, **changes: object) -> tuple[int, int]:
    opened = open_application(
        actor=town.partner, at=at, organisation_id=town.partner_id, content=content(**changes), idempotency_key="o"
    )  # fmt: skip
    found = submit_application(
        actor=town.partner, at=at, application_id=opened.application_id, version=1, idempotency_key="s"
    )
    return opened.application_id, found.case_id


def decided(actor: Actor, case_id: int, outcome: str, at: datetime) -> str:
    return decide(
        actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="意见"
    ).state


def subcentre(at: datetime) -> None:
    register_organisation(
        actor=SYSTEM, at=at, kind=OrganisationKind.SUBCENTRE, name="北港分中心", name_en="Beigang sub-centre",
        uscc=complete_uscc("12990000", "MB000009"), area="990100",
    )  # fmt: skip


def to_notice(town: Town, application_id: int, case_id: int, at: datetime) -> None:
    decided(MAKER, case_id, "accept", at)
    tried(town, application_id, csv(*rides(3)), at=at)
    decided(town.partner, case_id, "ready", at)
    decided(MAKER, case_id, "pass", at)
    assert decided(CHECKER, case_id, "endorse", at) == "notice"


def test_scenario_and_feed_open_when_the_notice_is_over_and_not_before(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    application_id, case_id = submitted
    to_notice(town, application_id, case_id, now)
    assert queries.scenarios() == ()
    assert end_notices(at=now + timedelta(days=1)) == ()
    assert end_notices(at=now + timedelta(days=7)) == (case_id,)
    found = queries.application(application_id)
    assert (found.state, workflow.case(case_id).state) == ("live", "live")
    (scenario,) = queries.scenarios(on=now.date() + timedelta(days=8))
    assert (scenario.code, scenario.scenario_class, scenario.reach, scenario.standing) == (
        "bus", "everyday", "general", "live",
    )  # fmt: skip
    (feed,) = queries.feeds(partner_id=town.partner_id)
    assert (feed.id, feed.scenario, feed.adapter, feed.evidence_tier) == (found.feed_id, "bus", "standard", 1)
    assert found.scenario_id == scenario.id
    sent = town.post(csv(*rides(2)), at=now + timedelta(days=8))
    assert sent.state == "posted"


def test_the_sub_centre_of_the_place_checks_first(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    _, case_id = submitted
    subcentre(now)
    assert workflow.case(case_id).area == "990100"
    with pytest.raises(SubCentreFirst):
        decided(MAKER, case_id, "accept", now)
    blocked = {
        one.outcome: one.blocked for one in workflow.available_outcomes(actor=MAKER, case_id=case_id, at=now)
    }
    assert isinstance(blocked["accept"], SubCentreFirst)
    assert decided(FIRST, case_id, "first_check", now) == "checked"
    with pytest.raises(Refusal) as same:
        decided(Actor(kind="user", id=FIRST.id, grants=MAKER.grants), case_id, "accept", now)
    assert same.value.code == "SAME_PERSON"
    assert decided(MAKER, case_id, "accept", now) == "docking"


def test_docking_needs_a_sample_and_passing_needs_a_good_one_or_a_person(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    application_id, case_id = submitted
    decided(MAKER, case_id, "accept", now)
    with pytest.raises(SampleMissing):
        decided(town.partner, case_id, "ready", now)
    bad = tried(town, application_id, csv(*rides(3, distance="-1")), at=now)
    decided(town.partner, case_id, "ready", now)
    with pytest.raises(SampleNotPassed):
        decided(MAKER, case_id, "pass", now)
    accept_sample(actor=MAKER, at=now, sample_id=bad.sample_id, reason="设备问题已说明", idempotency_key="a")
    assert decided(MAKER, case_id, "pass", now) == "assessment"


def test_a_maker_returns_what_is_not_in_order(town: Town, submitted: tuple[int, int], now: datetime) -> None:
    application_id, case_id = submitted
    assert decided(MAKER, case_id, "return", now) == "returned"
    assert queries.application(application_id).state == "returned"
    edit(town, application_id, 1, now)
    assert decided(town.partner, case_id, "resubmit", now) == "applied"
    assert queries.application(application_id).state == "applied"


def test_a_changed_definition_needs_a_new_sample(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    application_id, case_id = submitted
    with pytest.raises(ApplicationNotEditable):
        edit(town, application_id, 1, now)
    decided(MAKER, case_id, "accept", now)
    tried(town, application_id, csv(*rides(3)), at=now)
    assert decided(town.partner, case_id, "revise", now) == "returned"
    assert workflow.case(case_id).clock_stopped
    edit(town, application_id, 1, now)
    decided(town.partner, case_id, "resubmit", now)
    decided(MAKER, case_id, "accept", now)
    with pytest.raises(SampleMissing):
        decided(town.partner, case_id, "ready", now)


def edit(town: Town, application_id: int, version: int, at: datetime) -> None:
    save_application(
        actor=town.partner, at=at, application_id=application_id, version=version, content=content(evidence_tier=2),
        idempotency_key=f"e{version}",
    )  # fmt: skip


def test_who_prepared_it_does_not_endorse_it(town: Town, submitted: tuple[int, int], now: datetime) -> None:
    application_id, case_id = submitted
    both = Actor(
        kind="user",
        id="9009",
        grants=(Grant(role=Role.MAKER, area="990000"), Grant(role=Role.CHECKER, area="990000")),
    )
    decided(both, case_id, "accept", now)
    tried(town, application_id, csv(*rides(3)), at=now)
    decided(town.partner, case_id, "ready", now)
    decided(both, case_id, "pass", now)
    with pytest.raises(Refusal) as same:
        decided(both, case_id, "endorse", now)
    assert same.value.code == "SAME_PERSON"


def test_without_a_filed_methodology_nothing_is_endorsed(town: Town, now: datetime) -> None:
    application_id, case_id = submit(town, now, methodology_code="A99")
    decided(MAKER, case_id, "accept", now)
    sample = tried(town, application_id, csv(*rides(3)), at=now)
    decided(town.partner, case_id, "ready", now)
    accept_sample(actor=MAKER, at=now, sample_id=sample.sample_id, reason="等方法学备案", idempotency_key="a")
    decided(MAKER, case_id, "pass", now)
    with pytest.raises(MethodologyNotFiled):
        decided(CHECKER, case_id, "endorse", now)
    file_methodology("a01-bus", parameter_set=PARAMETERS)
    with pytest.raises(SampleOfOtherVersion):
        decided(CHECKER, case_id, "endorse", now)
    again = tried(town, application_id, csv(*rides(3)), at=now, key="s2")
    assert again.verdict == "passed"
    accept_sample(
        actor=MAKER, at=now, sample_id=again.sample_id, reason="按备案版本重新试算", idempotency_key="b"
    )
    assert decided(CHECKER, case_id, "endorse", now) == "notice"


@pytest.mark.parametrize("outcome", ["reject", "withdraw"])
def test_an_end_without_a_scenario(
    town: Town, submitted: tuple[int, int], now: datetime, outcome: str
) -> None:
    application_id, case_id = submitted
    if outcome == "withdraw":
        decided(town.partner, case_id, "withdraw", now)
    else:
        to_notice(town, application_id, case_id, now)
        decided(CHECKER, case_id, "reject", now)
    assert (
        queries.application(application_id).state == {"reject": "rejected", "withdraw": "withdrawn"}[outcome]
    )
    assert workflow.case(case_id).closed_at is not None
    assert queries.scenarios() == ()


def test_a_maker_does_not_speak_for_the_partner(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    with pytest.raises(Refusal) as refused:
        decided(MAKER, submitted[1], "withdraw", now)
    assert refused.value.code == "NOT_YOUR_DECISION"


def test_the_centre_may_apply_and_the_partner_it_names_answers_for_its_data(
    town: Town, now: datetime
) -> None:
    file_methodology("a01-bus", parameter_set=PARAMETERS)
    centre_id = register_organisation(
        actor=SYSTEM, at=now, kind=OrganisationKind.CENTRE, name="中心", name_en="Centre",
        uscc=complete_uscc("12990000", "MB000008"), area="990000",
    ).organisation_id  # fmt: skip
    maker = person(9011, Role.MAKER, organisation_id=centre_id)
    application_id = open_application(
        actor=maker, at=now, organisation_id=centre_id, content=content(partner_id=town.partner_id), idempotency_key="o"
    ).application_id  # fmt: skip
    case_id = submit_application(
        actor=maker, at=now, application_id=application_id, version=1, idempotency_key="s"
    ).case_id
    case = workflow.case(case_id)
    assert (case.parties, case.area) == ({"partner": town.partner_id}, "990100")
    decided(maker, case_id, "accept", now)
    tried(town, application_id, csv(*rides(3)), at=now)
    assert decided(town.partner, case_id, "ready", now) == "docked"


def test_an_incomplete_application_and_a_feed_that_stands_are_refused(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    empty = open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=ScenarioContent(code="x"),
        idempotency_key="e",
    ).application_id  # fmt: skip
    with pytest.raises(ApplicationIncomplete) as refused:
        submit_application(actor=town.partner, at=now, application_id=empty, version=1, idempotency_key="se")
    assert "name_zh" in str(refused.value.data["fields"])
    to_notice(town, *submitted, now)
    end_notices(at=now + timedelta(days=7))
    again = open_application(
        actor=town.partner, at=now, organisation_id=town.partner_id, content=content(), idempotency_key="o2"
    ).application_id
    with pytest.raises(FeedStands):
        submit_application(actor=town.partner, at=now, application_id=again, version=1, idempotency_key="s2")


def second(town: Town, at: datetime) -> None:
    opened = open_application(
        actor=town.partner,
        at=at,
        organisation_id=town.partner_id,
        content=content(),
        idempotency_key="second",
    ).application_id
    submit_application(actor=town.partner, at=at, application_id=opened, version=1, idempotency_key="second")


def test_one_feed_has_one_application_under_way(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    with pytest.raises(ApplicationRuns):
        second(town, now)
    decided(town.partner, submitted[1], "withdraw", now)
    second(town, now)


def test_nothing_new_is_opened_for_a_closed_scenario(town: Town, now: datetime) -> None:
    file_methodology("a01-bus", parameter_set=PARAMETERS)
    open_scenario(actor=SYSTEM, at=now, code="bus", name_zh="公交", name_en="Bus", area="990000")
    closing = propose_standing(
        actor=MAKER,
        at=now,
        scenario="bus",
        standing="closed",
        from_day=now.date(),
        reason="停运",
        idempotency_key="c",
    )
    decided(CHECKER, closing.case_id, "approve", now)
    with pytest.raises(ScenarioIsClosed):
        second(town, now)


def test_an_effect_without_its_decision_is_refused(
    town: Town, submitted: tuple[int, int], now: datetime
) -> None:
    application_id, case_id = submitted
    with pytest.raises(ScenarioNotDecided):
        go_live(actor=SYSTEM, at=now, case_id=case_id, subject_id=str(application_id), opinion="x")
    assert queries.scenarios() == ()


def corrupted(sql: str) -> list[str]:
    """Change a row behind the triggers' back and return which invariants notice."""
    assert list(queries.breaches()) == []
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(sql)
        assert cursor.rowcount > 0
        cursor.execute("set local session_replication_role = origin")
    return sorted({one.invariant for one in queries.breaches()})


@pytest.mark.parametrize(
    ("sql", "invariant"),
    [
        (
            "update activity_scenario_application_version set content = jsonb_set(content, '{name_zh}', '\"x\"')",
            "activity.application_version_has_its_hash",
        ),
        (
            "update activity_scenario_application set feed_id = 999999",
            "activity.live_application_has_its_feed",
        ),
        (
            (
                "insert into activity_scenario_status (scenario_id, standing, from_day, reason, case_id, at) "
                "select id, 'closed', '2026-12-01', 'x', 1, now() from activity_scenario"
            ),
            "activity.standing_was_approved",
        ),
    ],
)
def test_what_was_changed_behind_the_back_is_found(
    town: Town, submitted: tuple[int, int], now: datetime, sql: str, invariant: str
) -> None:
    to_notice(town, *submitted, now)
    end_notices(at=now + timedelta(days=7))
    assert corrupted(sql) == [invariant]
