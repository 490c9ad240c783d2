"""What experts write, what they see of each other, how the meeting ends, and what they are owed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from tests.integration.science.methodology.committee import Committee
from tests.integration.science.methodology.conftest import files

from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology import queries
from tanpuhui.science.methodology.models import ExpertReview
from tanpuhui.science.methodology.operations import (
    ConclusionDisagrees,
    ConclusionMissing,
    MeetingNotOpen,
    NotPresent,
    NotSeated,
    PanelIncomplete,
    QuorumNotMet,
    ReviewSealed,
    ReviewsOpen,
    VotesOpen,
    WrongVersionState,
    cast_vote,
    correct_filing,
    import_version,
    make_remark,
    record_meeting,
    reply_to_remark,
    run_expert_trial,
    save_review,
)

FORMULA = next(
    number
    for number, line in enumerate(files()["methodology.yaml"].decode().splitlines(), start=1)
    if "里程 * 因子" in line
)


@pytest.fixture
def panel(committee: Committee) -> queries.PanelView:
    committee.draw()
    committee.declare_all()
    return committee.panel


def guard(name: str, committee: Committee) -> None:
    getattr(queries, name)(at=committee.at, case_id=committee.case_id, subject_id="")


def test_an_opinion_stands_as_it_was_handed_in_with_its_hash_and_every_version_is_kept(
    committee: Committee, panel: queries.PanelView
) -> None:
    number = panel.seats[0].expert_number
    committee.review(number, submit=False)
    committee.review(number, key=1)
    committee.review(number, score=2, key=2)
    (standing,) = queries.reviews(panel.panel_id, version_id=committee.version_id)
    assert (standing.revision, standing.submitted, set(standing.scores.values())) == (3, True, {2})
    kept = queries.review_versions(panel.panel_id, expert_number=number)
    assert [(one.revision, bool(one.sha256)) for one in kept] == [(3, True), (2, True), (1, False)]
    assert len({one.sha256 for one in kept}) == 3
    with pytest.raises(DatabaseError, match="append"), transaction.atomic():
        ExpertReview.objects.filter(panel_id=panel.panel_id).update(text="另一份意见")


def test_an_expert_sees_nobody_elses_opinion_before_handing_in_their_own(
    committee: Committee, panel: queries.PanelView
) -> None:
    first, second, third = (seat.expert_number for seat in panel.seats)
    committee.review(first)
    committee.review(second, submit=False)

    def seen(by: int) -> list[int]:
        found = queries.reviews(panel.panel_id, version_id=committee.version_id, seen_by=by)
        return [one.expert_number for one in found]

    assert seen(second) == [second]
    assert seen(third) == []
    assert seen(first) == [first]
    committee.review(second, key=1)
    assert seen(second) == sorted([first, second])
    assert seen(first) == sorted([first, second])
    assert seen(third) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"scores": {}}, "additional"),
        ({"text": " "}, "text"),
        ({"recommendation": "maybe"}, "recommendation"),
        ({"texts": {}}, "普惠性"),
    ],
)
def test_an_opinion_is_handed_in_whole(
    committee: Committee, panel: queries.PanelView, given: dict[str, object], field: str
) -> None:
    codes = [criterion.code for criterion in panel.criteria]
    whole: dict[str, object] = {
        "actor": committee.experts[panel.seats[0].expert_number],
        "at": committee.at,
        "panel_id": panel.panel_id,
        "scores": dict.fromkeys(codes, 3),
        "texts": dict.fromkeys(codes, "理由"),
        "text": "总体",
        "recommendation": "return",
        "submit": True,
        "idempotency_key": "whole",
    }
    with pytest.raises(Invalid, match=field):
        save_review(**{**whole, **given})  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        save_review(**{**whole, "scores": dict.fromkeys(codes, 6)})  # type: ignore[arg-type]


def test_weights_come_from_the_rules_and_a_criterion_without_one_says_so(panel: queries.PanelView) -> None:
    weights = {criterion.code: criterion.weight for criterion in panel.criteria}
    assert weights["additional"] == 2
    assert weights["inclusive"] is None


def test_a_remark_stands_at_its_line_and_the_applicant_answers_it(
    committee: Committee, panel: queries.PanelView
) -> None:
    first, second = panel.seats[0].expert_number, panel.seats[1].expert_number
    made = make_remark(
        actor=committee.experts[first], at=committee.at, panel_id=panel.panel_id, path="methodology.yaml",
        line=FORMULA, text="公式应扣除空驶里程", idempotency_key="remark",
    )  # fmt: skip
    reply_to_remark(
        actor=committee.owner, at=committee.at, remark_id=made.remark_id, text="已在补正稿中说明", idempotency_key="reply"
    )  # fmt: skip
    (remark,) = queries.remarks(panel.panel_id)
    assert "里程 * 因子" in remark.quoted
    assert [reply.text for reply in remark.replies] == ["已在补正稿中说明"]
    assert queries.remarks(panel.panel_id, seen_by=second) == ()
    committee.review(second)
    assert len(queries.remarks(panel.panel_id, seen_by=second)) == 1
    with pytest.raises(NotPermitted):
        reply_to_remark(
            actor=committee.maker, at=committee.at, remark_id=made.remark_id, text="代答", idempotency_key="2"
        )
    for path, line in (("methodology.yaml", 10_000), ("other.yaml", 1)):
        with pytest.raises((Invalid, NotFound)):
            make_remark(
                actor=committee.experts[first], at=committee.at, panel_id=panel.panel_id, path=path, line=line,
                text="x", idempotency_key=path,
            )  # fmt: skip


def test_an_experts_own_numbers_are_calculated_exactly_and_kept(
    committee: Committee, panel: queries.PanelView
) -> None:
    number = panel.seats[0].expert_number
    done = run_expert_trial(
        actor=committee.experts[number], at=committee.at, panel_id=panel.panel_id,
        rows="distance_km\n12.5\n999\nfar\n", note="边界", idempotency_key="trial",
    )  # fmt: skip
    (trial,) = queries.trials(panel.panel_id, expert_number=number)
    assert (done.rows, trial.inputs_sha256, trial.engine_version) == (3, done.inputs_sha256, "1")
    assert trial.result[0] == {
        "row": 2,
        "grams": "1250",
        "remainder_g": "0",
        "variant": "by_distance",
        "reason": "",
    }
    assert trial.result[1]["grams"] == ""
    assert trial.result[1]["reason"]
    assert "fault_zh" in trial.result[2]


def test_nobody_writes_who_has_not_declared(committee: Committee) -> None:
    panel = committee.draw()
    with pytest.raises(NotSeated):
        committee.review(panel.seats[0].expert_number)
    with pytest.raises(PanelIncomplete):
        guard("panel_seated", committee)


def test_the_meeting_waits_for_every_opinion_and_for_its_quorum(
    committee: Committee, panel: queries.PanelView
) -> None:
    guard("panel_seated", committee)
    with pytest.raises(ReviewsOpen):
        guard("reviews_complete", committee)
    with pytest.raises(ReviewsOpen):
        committee.meet()
    committee.review_all()
    guard("reviews_complete", committee)
    with pytest.raises(QuorumNotMet):
        committee.meet(present=(panel.seats[0].expert_number,))
    given = {
        "actor": committee.maker, "at": committee.at, "panel_id": panel.panel_id, "place": "x", "agenda": "y",
        "present": [seat.expert_number for seat in panel.seats[:2]], "idempotency_key": "m",
    }  # fmt: skip
    with pytest.raises(Invalid, match="present"):
        record_meeting(**given, held_at=committee.at, chair=panel.seats[2].expert_number)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="held_at"):
        record_meeting(
            **given, held_at=committee.at + timedelta(days=1), chair=panel.seats[0].expert_number  # type: ignore[arg-type]
        )  # fmt: skip


def test_the_conclusion_is_what_the_votes_say_and_a_dissent_is_kept(
    committee: Committee, panel: queries.PanelView
) -> None:
    committee.review_all()
    with pytest.raises(ConclusionMissing):
        guard("conclusion_recommends", committee)
    numbers = [seat.expert_number for seat in panel.seats]
    meeting_id = committee.meet(votes={numbers[1]: "against"}, dissent="基准情景偏高")
    with pytest.raises(ConclusionDisagrees) as refused:
        committee.sign(meeting_id, "reject")
    assert refused.value.data["expected"] == "recommend"
    with pytest.raises(NotPresent):
        committee.sign(meeting_id, chair=numbers[1])
    committee.sign(meeting_id)
    guard("conclusion_recommends", committee)
    for other in ("conclusion_returns", "conclusion_rejects"):
        with pytest.raises(ConclusionMissing):
            guard(other, committee)
    meeting = queries.signed_meeting(panel.panel_id, version_id=committee.version_id)
    assert meeting is not None
    assert [(vote.expert_number, vote.dissent) for vote in meeting.votes if vote.dissent] == [
        (numbers[1], "基准情景偏高")
    ]
    assert open_document(meeting.minutes_sha256).read() == "纪要".encode()
    with pytest.raises(ReviewSealed):
        committee.review(numbers[0], key="late")
    with pytest.raises(MeetingNotOpen):
        cast_vote(
            actor=committee.experts[numbers[0]], at=committee.at, meeting_id=meeting_id, vote="for", idempotency_key="late"
        )  # fmt: skip


@pytest.mark.parametrize(
    ("votes", "conclusion"),
    [(("for", "against", "abstain"), "return"), (("against", "against", "for"), "reject")],
)
def test_too_few_for_it_send_it_back_and_half_against_it_refuse_it(
    committee: Committee, panel: queries.PanelView, votes: tuple[str, ...], conclusion: str
) -> None:
    committee.review_all()
    numbers = [seat.expert_number for seat in panel.seats]
    meeting_id = committee.meet(votes=dict(zip(numbers, votes, strict=True)))
    with pytest.raises(ConclusionDisagrees):
        committee.sign(meeting_id, "recommend")
    committee.sign(meeting_id, conclusion)


def test_everybody_present_votes_once_and_the_chair_waits_for_them(
    committee: Committee, panel: queries.PanelView
) -> None:
    committee.review_all()
    numbers = [seat.expert_number for seat in panel.seats]
    meeting_id = record_meeting(
        actor=committee.maker, at=committee.at, panel_id=panel.panel_id, held_at=committee.at, place="x", agenda="y",
        present=numbers[:2], chair=numbers[0], idempotency_key="m",
    ).meeting_id  # fmt: skip
    for number, key in ((numbers[0], "1"), (numbers[0], "2"), (numbers[2], "3")):
        given = {"at": committee.at, "meeting_id": meeting_id, "vote": "for", "idempotency_key": key}
        if key == "1":
            cast_vote(actor=committee.experts[number], **given)  # type: ignore[arg-type]
        else:
            with pytest.raises(NotPresent):
                cast_vote(actor=committee.experts[number], **given)  # type: ignore[arg-type]
    with pytest.raises(VotesOpen):
        committee.sign(meeting_id)


def test_fees_follow_the_rule_of_the_day_and_an_unset_one_stays_open(
    committee: Committee, panel: queries.PanelView
) -> None:
    number = panel.seats[0].expert_number
    committee.review(number)
    committee.review(number, key="again")
    assert [(fee.kind, fee.fen) for fee in queries.fees(expert_number=number)] == [("review", Fen(80_000))]
    committee.review(panel.seats[1].expert_number)
    committee.review(panel.seats[2].expert_number)
    committee.sign(committee.meet())
    assert {(fee.kind, fee.fen) for fee in queries.fees(expert_number=number)} == {
        ("review", Fen(80_000)),
        ("meeting", None),
    }


def corrected() -> dict[str, bytes]:
    """Return the methodology with a narrower bound: other bytes of the same version number."""
    content = files()
    content["methodology.yaml"] = content["methodology.yaml"].replace(b"max: 300", b"max: 200")
    return content


def test_a_corrected_version_takes_the_place_of_the_returned_one_inside_the_case(
    committee: Committee, panel: queries.PanelView
) -> None:
    committee.review_all()
    numbers = [seat.expert_number for seat in panel.seats]
    committee.sign(committee.meet(votes=dict.fromkeys(numbers, "abstain")), "return")
    committee.decide(committee.case_id, "return", committee.maker)
    first = committee.version_id
    filing = queries.filing_of_case(committee.case_id)
    assert filing is not None
    second = import_version(actor=committee.owner, at=committee.at, files=corrected()).version_id
    with pytest.raises(NotPermitted):
        correct_filing(actor=committee.maker, at=committee.at, filing_id=filing.filing_id, version_id=second)
    correct_filing(actor=committee.owner, at=committee.at, filing_id=filing.filing_id, version_id=second)
    committee.decide(committee.case_id, "resubmit", committee.owner)
    committee.decide(committee.case_id, "accept", committee.maker)
    assert [queries.version(one).state for one in (first, second)] == ["replaced", "proposed"]
    assert queries.filing(filing.filing_id).version_ids == (first, second)
    with pytest.raises(ReviewsOpen):
        guard("reviews_complete", committee)
    committee.version_id = second
    committee.review_all()
    committee.sign(committee.meet())
    committee.decide(committee.case_id, "conclude", committee.maker)
    assert workflow.case(committee.case_id).state == "notice"
    assert len(queries.reviews(panel.panel_id, version_id=first)) == 3


def test_a_filing_is_not_corrected_with_another_methodology_or_the_same_bytes(committee: Committee) -> None:
    filing = queries.filing_of_case(committee.case_id)
    assert filing is not None
    other = files()
    other["methodology.yaml"] = other["methodology.yaml"].replace(b"code: T01", b"code: T02")
    another = import_version(actor=committee.owner, at=committee.at, files=other).version_id
    mine = import_version(actor=committee.owner, at=committee.at, files=corrected()).version_id
    with pytest.raises(WrongVersionState):
        correct_filing(actor=committee.owner, at=committee.at, filing_id=filing.filing_id, version_id=mine)
    for version_id in (another, committee.version_id):
        with pytest.raises(Invalid, match="version_id"):
            correct_filing(
                actor=committee.owner, at=committee.at, filing_id=filing.filing_id, version_id=version_id
            )
