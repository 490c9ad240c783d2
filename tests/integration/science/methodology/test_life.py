"""From the second filing process to what becomes of a filed version: notice, transition, suspension, end, periodic review."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from tests.integration.science.methodology.committee import Committee
from tests.integration.science.methodology.conftest import files, parameter_set

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.models import Notice
from tanpuhui.foundation.workflow.operations import CaseAlreadyOpen, end_notices
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.models import VersionStatus
from tanpuhui.science.methodology.operations import (
    ConclusionMissing,
    PanelIncomplete,
    TransitionRuleMissing,
    VersionStanding,
    WrongVersionState,
    open_due_reviews,
    open_life_case,
)


@pytest.fixture
def filed(committee: Committee) -> Committee:
    committee.draw()
    committee.conclude()
    committee.file()
    return committee


def next_version() -> dict[str, bytes]:
    content = files()
    content["methodology.yaml"] = content["methodology.yaml"].replace(b'version: "1.0"', b'version: "1.1"')
    return content


def held(day: date, *, started_on: date | None = None) -> str:
    return queries.filed_version(scenario="trial", day=day, started_on=started_on).version


def test_nothing_leaves_the_committee_without_panel_opinions_and_conclusion(committee: Committee) -> None:
    for prepare, refusal in (
        (lambda: None, PanelIncomplete),
        (committee.draw, PanelIncomplete),
        (committee.declare_all, None),
    ):
        prepare()
        if refusal is not None:
            with pytest.raises(refusal):
                committee.decide(committee.case_id, "conclude", committee.maker)
    committee.review_all()
    meeting_id = committee.meet()
    with pytest.raises(ConclusionMissing):
        committee.decide(committee.case_id, "conclude", committee.maker)
    committee.sign(meeting_id)
    with pytest.raises(ConclusionMissing):
        committee.decide(committee.case_id, "return", committee.maker)
    committee.decide(committee.case_id, "conclude", committee.maker)
    assert workflow.case(committee.case_id).state == "notice"
    assert end_notices(at=committee.at) == ()
    (published,) = Notice.objects.get(case_id=committee.case_id).documents
    record = json.loads(open_document(published["sha256"]).read())
    assert record["draw"]["log_root"] == committee.panel.log_root
    assert [one["expert"] for one in record["draw"]["candidates"]] == [
        one.expert_number for one in committee.panel.candidates
    ]
    assert record["meeting"]["conclusion"] == "recommend"
    assert "scores" not in json.dumps(record)


def test_a_filing_ends_with_its_number_its_leaf_and_the_exact_bytes(filed: Committee) -> None:
    view = queries.version(filed.version_id)
    assert (view.state, view.filing_number) == ("filed", "MU-FA-2026-0001")
    assert view.leaf_id is not None
    leaf = transparency.leaf(view.leaf_id)
    assert leaf is not None
    assert leaf.payload["archive_sha256"] == view.archive_sha256
    assert held(filed.at.date()) == "1.0"
    assert list(queries.breaches()) == []


def revise(filed: Committee, **values: str) -> int:
    """Have version 1.1 filed after 1.0; return the first version."""
    first = filed.version_id
    filed.propose(next_version())
    filed.draw()
    filed.conclude()
    filed.file(**values)
    return first


def test_a_revision_says_what_becomes_of_the_version_before(filed: Committee) -> None:
    first = filed.version_id
    filed.propose(next_version())
    filed.draw()
    filed.conclude()
    with pytest.raises(TransitionRuleMissing):
        filed.file()
    assert queries.version(filed.version_id).state == "reviewed"
    today = filed.at.date()
    for wrong in (
        {"closed_from": str(today - timedelta(days=1))},
        {"closed_from": str(today), "usable_until": str(today - timedelta(days=1))},
    ):
        with pytest.raises(Invalid):
            filed.decide(filed.case_id, "file", filed.regulator, values=wrong)
    rule = {"closed_from": str(today), "usable_until": "2027-06-30"}
    filed.decide(filed.case_id, "file", filed.regulator, values=rule)
    (status,) = queries.status_history([first])
    assert (status.kind, status.successor_id, status.usable_until) == (
        "superseded",
        filed.version_id,
        date(2027, 6, 30),
    )
    leaf = transparency.leaf(status.leaf_id)
    assert leaf is not None
    assert (leaf.subject, leaf.payload["successor"]) == ("MU-FA-2026-0001/1", "MU-FA-2026-0002")


def test_what_ran_before_a_revision_keeps_its_version_through_the_transition_only(filed: Committee) -> None:
    started = filed.at.date()
    day = started + timedelta(days=7)
    revise(filed, closed_from=str(day), usable_until="2027-06-30")
    assert held(started) == "1.0"
    assert held(day) == "1.1"
    assert held(day, started_on=started) == "1.0"
    assert held(date(2027, 6, 30), started_on=started) == "1.0"
    assert held(date(2027, 7, 1), started_on=started) == "1.1"
    assert held(day, started_on=day) == "1.1"


def test_a_suspended_version_calculates_nothing_new_and_no_other_takes_its_place(filed: Committee) -> None:
    first_day = filed.at.date()
    until = first_day + timedelta(days=10)
    filed.life("suspend", effective_on=str(first_day + timedelta(days=2)))
    assert held(first_day) == "1.0"
    with pytest.raises(queries.MethodologyNotInForce):
        held(first_day + timedelta(days=2))
    assert queries.loaded(filed.version_id).code == "T01"
    filed.at += timedelta(days=3)
    with pytest.raises(VersionStanding):
        filed.life("keep")
    filed.life_case_closed()
    filed.life("resume", effective_on=str(until))
    with pytest.raises(queries.MethodologyNotInForce):
        held(until - timedelta(days=1))
    assert held(until) == "1.0"
    assert [one.kind for one in queries.status_history([filed.version_id])] == ["suspended", "resumed"]


def test_a_repealed_version_ends_for_what_starts_after_it(filed: Committee) -> None:
    today = filed.at.date()
    filed.life("repeal", effective_on=str(today), usable_until=str(today + timedelta(days=30)))
    with pytest.raises(queries.MethodologyNotInForce):
        held(today)
    before = today - timedelta(days=1)
    assert queries.version_standing(filed.version_id, day=today) == "repealed"
    with pytest.raises(queries.NoFiledMethodology):
        held(before, started_on=before)
    with pytest.raises(VersionStanding):
        filed.life("repeal", effective_on=str(today))


def test_the_past_is_not_closed_and_status_rows_stay(filed: Committee) -> None:
    with pytest.raises(Invalid, match="effective_on"):
        filed.life("suspend", effective_on="2026-01-01")
    assert queries.status_history([filed.version_id]) == ()
    filed.life_case_closed()
    filed.life("keep")
    with pytest.raises(DatabaseError, match="append"), transaction.atomic():
        VersionStatus.objects.update(kind="repealed")


def test_what_becomes_of_a_version_is_one_case_at_a_time_decided_by_another_person(
    filed: Committee,
) -> None:
    opened = open_life_case(actor=filed.maker, at=filed.at, version_id=filed.version_id)
    with pytest.raises(CaseAlreadyOpen):
        open_life_case(actor=filed.regulator, at=filed.at, version_id=filed.version_id)
    found = queries.running_life_case(filed.version_id)
    assert found is not None
    assert found.case_id == opened.case_id
    filed.propose(next_version())
    with pytest.raises(WrongVersionState):
        open_life_case(actor=filed.maker, at=filed.at, version_id=filed.version_id)


def test_a_periodic_review_opens_when_it_is_due_and_counts_anew_when_confirmed(
    filed: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_due_reviews(actor=SYSTEM, at=filed.at + timedelta(days=4000)).case_ids == ()
    monkeypatch.setattr(
        "tanpuhui.science.methodology.operations._life.REVIEW_YEARS", "methodology.panel_seats"
    )
    three_years = filed.at.replace(year=2029)
    assert open_due_reviews(actor=SYSTEM, at=three_years - timedelta(days=1)).case_ids == ()
    (case_id,) = open_due_reviews(actor=SYSTEM, at=three_years).case_ids
    assert open_due_reviews(actor=SYSTEM, at=three_years).case_ids == ()
    filed.at = three_years
    filed.decide(case_id, "assess", filed.maker)
    filed.decide(case_id, "keep", filed.regulator)
    assert open_due_reviews(actor=SYSTEM, at=filed.at + timedelta(days=1000)).case_ids == ()
    assert len(open_due_reviews(actor=SYSTEM, at=filed.at + timedelta(days=1100)).case_ids) == 1


def test_a_version_before_its_purpose_is_not_superseded_by_a_demonstration(filed: Committee) -> None:
    from tanpuhui.science.methodology.operations import import_version

    trial = import_version(
        actor=filed.owner, at=filed.at, files=next_version(), parameter_set=parameter_set("demonstration")
    )
    assert queries.filed_before(trial.version_id) == ()
