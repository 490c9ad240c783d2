"""Cases move by decisions and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import transaction
from pytest_django import Settings
from tests.integration.foundation.workflow.conftest import SUBJECT_TYPE, Province, organisation
from tests.integration.foundation.workflow.made_up_province import PACK, process_yaml

from tanpuhui.foundation.audit.operations import IdempotencyConflict
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, Refusal
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Decision
from tanpuhui.foundation.workflow.operations import (
    NO_EFFECT,
    CaseAlreadyOpen,
    CaseMoved,
    Decided,
    NotYourDecision,
    OpinionMissing,
    OutcomeNotOpen,
    PartyAlreadyNamed,
    PartyUnsuitable,
    SamePerson,
    decide,
    install_effects,
    name_party,
    open_case,
)

pytestmark = pytest.mark.django_db


def take(province: Province, case_id: int, outcome: str, actor: Actor, **more: object) -> Decided:
    return decide(
        actor=actor,
        at=province.at,
        idempotency_key=more.pop("idempotency_key", None),  # type: ignore[arg-type]
        case_id=case_id,
        outcome=outcome,
        opinion=str(more.pop("opinion", "同意")),
        **more,  # type: ignore[arg-type]
    )


def walk(province: Province, *steps: tuple[str, Role]) -> int:
    case_id = province.open("issuance").case_id
    for outcome, role in steps:
        take(province, case_id, outcome, province.actor(role))
    return case_id


TO_PREPARED = (("submit", Role.OWNER), ("verify", Role.VERIFIER), ("prepare", Role.MAKER))


def test_a_case_begins_in_the_initial_state_of_the_version_in_force(province: Province) -> None:
    opened = province.open("issuance")
    version = rulebook.process_version(process="issuance", at=province.at)
    view = queries.case(opened.case_id)
    assert (view.process_version_id, view.state, view.step) == (version.id, opened.state, 0)
    assert view.parties == {"verifier": province.verifier_id}
    assert opened.number == "MU-ISSUANCE-2026-000001"


def test_numbers_have_no_gaps_and_each_process_its_own(province: Province) -> None:
    numbers = [province.open("issuance", subject_id=str(i)).number[-6:] for i in range(3)]
    assert numbers == ["000001", "000002", "000003"]
    assert province.open("methodology_filing").number.endswith("000001")


def test_one_subject_has_one_running_case_of_a_process(province: Province) -> None:
    first = province.open("issuance")
    with pytest.raises(CaseAlreadyOpen) as refused:
        province.open("issuance")
    assert refused.value.data["number"] == first.number


def test_an_issuance_goes_from_draft_to_issued(province: Province) -> None:
    case_id = walk(province, *TO_PREPARED)
    done = take(province, case_id, "issue", province.actor(Role.CHECKER))
    view = queries.case(case_id)
    assert (done.state, view.state, view.step) == ("issued", "issued", 4)
    assert view.closed_at == province.at
    assert [line.outcome for line in queries.timeline(case_id)] == [
        "open",
        "submit",
        "verify",
        "prepare",
        "issue",
    ]
    assert queries.latest_outcome(case_id) == "issue"


def test_the_effect_of_an_outcome_is_told_everything(province: Province) -> None:
    case_id = walk(province, ("submit", Role.OWNER))
    owner = province.actor(Role.OWNER)
    assert province.heard == [
        {"actor": owner, "at": province.at, "case_id": case_id, "subject_id": "1", "opinion": "同意"}
    ]


def test_an_effect_that_refuses_undoes_the_decision(province: Province) -> None:
    case_id = province.open("issuance").case_id

    def refuse(**_: object) -> None:
        raise Invalid(field="x", why="y")

    install_effects({(SUBJECT_TYPE, "submit"): refuse})
    point = transaction.savepoint()
    with pytest.raises(Invalid):
        take(province, case_id, "submit", province.actor(Role.OWNER))
    transaction.savepoint_rollback(point)
    assert queries.case(case_id).step == 0
    assert Decision.objects.count() == 0


def test_an_outcome_nobody_wired_is_an_error_and_one_without_effect_is_declared(province: Province) -> None:
    case_id = province.open("issuance").case_id
    install_effects({})
    point = transaction.savepoint()
    with pytest.raises(LookupError, match="submit"):
        take(province, case_id, "submit", province.actor(Role.OWNER))
    transaction.savepoint_rollback(point)
    install_effects({(SUBJECT_TYPE, "submit"): NO_EFFECT})
    assert take(province, case_id, "submit", province.actor(Role.OWNER)).state == "submitted"


def test_an_event_that_nobody_listed_stops_the_decision(province: Province) -> None:
    case_id = province.open("issuance").case_id
    install_subscribers({})
    with pytest.raises(LookupError, match="CaseDecided"):
        take(province, case_id, "submit", province.actor(Role.OWNER))


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (lambda p: p.actor(Role.MAKER), NotYourDecision),
        (lambda p: p.actor(Role.OWNER, organisation_id=p.verifier_id), NotYourDecision),
        (lambda p: SYSTEM, NotYourDecision),
    ],
)
def test_others_are_refused(
    province: Province, who: Callable[[Province], Actor], expected: type[Refusal]
) -> None:
    case_id = province.open("issuance").case_id
    with pytest.raises(expected):
        take(province, case_id, "submit", who(province))
    assert queries.available_outcomes(actor=who(province), case_id=case_id, at=province.at) == ()


def test_who_prepared_does_not_issue(province: Province) -> None:
    case_id = walk(province, *TO_PREPARED)
    maker_number = int(province.actor(Role.MAKER).id)
    both = province.actor(Role.CHECKER, user_id=maker_number)
    with pytest.raises(SamePerson):
        take(province, case_id, "issue", both)
    assert "issue" not in {
        found.outcome for found in queries.available_outcomes(actor=both, case_id=case_id, at=province.at)
    }
    assert take(province, case_id, "issue", province.actor(Role.CHECKER)).state == "issued"


def test_an_opinion_is_mandatory(province: Province) -> None:
    case_id = province.open("issuance").case_id
    with pytest.raises(OpinionMissing):
        take(province, case_id, "submit", province.actor(Role.OWNER), opinion="  ")
    assert queries.case(case_id).step == 0


def test_evidence_is_named_by_hash(province: Province) -> None:
    case_id = province.open("issuance").case_id
    with pytest.raises(Invalid):
        take(province, case_id, "submit", province.actor(Role.OWNER), evidence=("report.pdf",))


def test_the_second_of_two_deciders_learns_what_happened_and_keeps_the_opinion(province: Province) -> None:
    case_id = walk(province, ("submit", Role.OWNER))
    take(province, case_id, "verify", province.actor(Role.VERIFIER))
    with pytest.raises(CaseMoved) as refused:
        take(province, case_id, "verify", province.actor(Role.VERIFIER, user_id=77), opinion="数据齐全，同意")
    data = refused.value.data
    assert (data["outcome"], data["state"], data["opinion"]) == ("verify", "verified", "数据齐全，同意")
    assert data["when"] == "2026-11-20 10:00"
    assert data["who"] == f"user:{province.actor(Role.VERIFIER).id}"


def test_a_stale_screen_is_refused_even_where_the_outcome_is_open_again(province: Province) -> None:
    case_id = walk(province, ("submit", Role.OWNER))
    with pytest.raises(CaseMoved):
        take(province, case_id, "verify", province.actor(Role.VERIFIER), seen_step=0)
    assert take(province, case_id, "verify", province.actor(Role.VERIFIER), seen_step=1).state == "verified"


def test_an_outcome_that_is_not_open_says_what_is(province: Province) -> None:
    case_id = province.open("issuance").case_id
    with pytest.raises(OutcomeNotOpen) as refused:
        take(province, case_id, "issue", province.actor(Role.CHECKER))
    assert "submit" in str(refused.value.data["open"])


def test_a_repeated_key_decides_once(province: Province) -> None:
    case_id = province.open("issuance").case_id
    owner = province.actor(Role.OWNER)
    first = take(province, case_id, "submit", owner, idempotency_key="k")
    assert take(province, case_id, "submit", owner, idempotency_key="k") == first
    with pytest.raises(IdempotencyConflict):
        take(province, case_id, "submit", owner, idempotency_key="k", opinion="改了")
    assert Decision.objects.count() == 1


def test_an_unknown_case_is_named(province: Province) -> None:
    with pytest.raises(NotFound):
        take(province, 10**9, "submit", province.actor(Role.OWNER))


def test_a_party_is_named_once_by_the_applicant_and_is_never_the_applicant(province: Province) -> None:
    opened = open_case(
        actor=SYSTEM,
        at=province.at,
        process="issuance",
        subject_type=SUBJECT_TYPE,
        subject_id="9",
        title="一件事",
        area=province.area,
        organisation_id=province.owner_id,
    )
    owner = province.actor(Role.OWNER)
    name = {"actor": owner, "at": province.at, "case_id": opened.case_id, "role": "verifier"}
    with pytest.raises(PartyUnsuitable):
        name_party(**name, organisation_id=province.owner_id)  # type: ignore[arg-type]
    name_party(**name, organisation_id=province.verifier_id)  # type: ignore[arg-type]
    other = organisation("verifier", 3, at=province.at, area=province.area)
    with pytest.raises(PartyAlreadyNamed):
        name_party(**name, organisation_id=other)  # type: ignore[arg-type]
    assert queries.case(opened.case_id).parties == {"verifier": province.verifier_id}


def test_a_returned_case_stays_open_where_a_way_leads_on_and_closes_where_none_does(
    province: Province,
) -> None:
    issuance = walk(province, ("submit", Role.OWNER), ("return", Role.VERIFIER))
    assert queries.case(issuance).closed_at is None
    take(province, issuance, "submit", province.actor(Role.OWNER))
    filing = province.open("methodology_filing").case_id
    take(province, filing, "return", province.actor(Role.EXPERT))
    assert queries.case(filing).closed_at == province.at
    assert province.open("methodology_filing").case_id != filing


def test_a_new_process_version_is_for_new_cases_and_running_ones_keep_theirs(
    province: Province, settings: Settings
) -> None:
    folder = settings.TANPUHUI_JURISDICTION_DIR
    running = walk(province, *TO_PREPARED)
    new = process_yaml("issuance", version=2, valid_from="2026-11-20", without="reject")
    (folder / "processes" / "issuance.2.yaml").write_text(new, encoding="utf-8")
    load_jurisdiction(actor=SYSTEM, at=province.at, folder=folder)
    fresh = province.open("issuance", subject_id="fresh").case_id
    assert queries.case(fresh).process_version_id != queries.case(running).process_version_id
    for outcome, role in TO_PREPARED:
        take(province, fresh, outcome, province.actor(role))
    assert take(province, running, "reject", province.actor(Role.REGULATOR)).state == "rejected"
    with pytest.raises(OutcomeNotOpen):
        take(province, fresh, "reject", province.actor(Role.REGULATOR))


def test_a_changed_deadline_role_and_way_hold_for_new_cases_and_running_ones_keep_theirs(
    province: Province, settings: Settings
) -> None:
    """A new file in the jurisdiction's folder is all it takes: no code and no migration."""
    folder = settings.TANPUHUI_JURISDICTION_DIR
    running = walk(province, ("submit", Role.OWNER))
    changed = (
        process_yaml("issuance", version=2, valid_from="2026-11-20")
        .replace(
            'target: verified, outcome: verify, role: verifier, label_zh: 办verify, label_en: verify, deadline_working_days: "5"',
            'target: verified, outcome: verify, role: maker, label_zh: 办verify, label_en: verify, deadline_working_days: "1"',
        )
        .replace(
            "source: verified, target: prepared, outcome: prepare, role: maker",
            "source: verified, target: issued, outcome: publish, role: maker",
        )
    )
    # What prepared and what came after it is gone with the changed way.
    changed = (
        "\n".join(line for line in changed.splitlines() if "prepared" not in line and "rejected" not in line)
        + "\n"
    )
    (folder / "processes" / "issuance.2.yaml").write_text(changed, encoding="utf-8")
    load_jurisdiction(actor=SYSTEM, at=province.at, folder=folder)
    fresh = province.open("issuance", subject_id="fresh").case_id
    take(province, fresh, "submit", province.actor(Role.OWNER))

    assert (queries.case(fresh).deadline_working_days, queries.case(running).deadline_working_days) == (1, 5)
    assert queries.case(fresh).deadline_day == date(2026, 11, 24)
    maker, verifier = province.actor(Role.MAKER), province.actor(Role.VERIFIER)

    def waits(actor: Actor) -> set[int]:
        return {line.case.case_id for line in queries.inbox(actor=actor, at=province.at)}

    assert (waits(maker), waits(verifier)) == ({fresh}, {fresh, running})
    with pytest.raises(NotYourDecision):
        take(province, running, "verify", maker)
    install_effects({(SUBJECT_TYPE, outcome): NO_EFFECT for outcome in ("verify", "publish", "prepare")})
    take(province, fresh, "verify", maker)
    take(province, running, "verify", verifier)
    assert take(province, fresh, "publish", maker).state == "issued"
    with pytest.raises(OutcomeNotOpen):
        take(province, running, "publish", maker)
    assert take(province, running, "prepare", maker).state == "prepared"
    assert list(queries.breaches()) == []


def test_a_deadline_counts_working_days_over_a_holiday(province: Province) -> None:
    case_id = walk(province, ("submit", Role.OWNER))
    view = queries.case(case_id)
    # From Friday 20 November: 23rd is a holiday, Saturday 28th is worked, so the fifth working day is the 28th.
    assert (view.deadline_working_days, view.deadline_day) == (5, date(2026, 11, 28))


def test_no_deadline_is_made_up_and_no_approval_waits_for_a_calendar(province: Province) -> None:
    case_id = province.open("issuance").case_id
    assert (queries.case(case_id).deadline_working_days, queries.case(case_id).deadline_day) == (None, None)
    take(province, case_id, "submit", province.actor(Role.OWNER))
    take(province, case_id, "verify", province.actor(Role.VERIFIER))
    # Sixty working days lead into a year whose holidays nobody has entered.
    assert (queries.case(case_id).deadline_working_days, queries.case(case_id).deadline_day) == (60, None)


def test_a_jurisdiction_may_set_its_own_number_pattern(province: Province, settings: Settings) -> None:
    pack = settings.TANPUHUI_JURISDICTION_DIR / "rules" / "base.yaml"
    line = '  - {key: workflow.case_number, scope: issuance, value: "{prefix}〔{year}〕{seq}号", unit: "-", basis: test, confidence: DEMO}'
    pack.write_text(
        PACK.replace('valid_from: "2020-01-01"', 'valid_from: "2026-11-20"') + line + "\n", encoding="utf-8"
    )
    load_jurisdiction(actor=SYSTEM, at=province.at, folder=settings.TANPUHUI_JURISDICTION_DIR)
    assert province.open("issuance").number == "MU〔2026〕1号"
