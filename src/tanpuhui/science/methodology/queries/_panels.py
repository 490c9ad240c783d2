"""Reads of panels: who was drawn and why not, what the experts wrote, what they may see of each other, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.science.methodology.domain import Criterion, SeatState, VersionState
from tanpuhui.science.methodology.models import (
    ExpertExclusion,
    ExpertReview,
    ExpertTrial,
    FilingVersion,
    MethodologyFiling,
    PanelCandidate,
    PanelSeat,
    ReviewMeeting,
    ReviewPanel,
    ReviewRemark,
)
from tanpuhui.science.methodology.queries._experts import expert_names

SITTING = (SeatState.SEATED.value, SeatState.DECLARED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingView:
    """What a filing case is about: the version before the committee, and those handed in before it, oldest first."""

    filing_id: int
    organisation_id: int | None
    case_id: int | None
    version_id: int
    version_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateView:
    """An expert who could have been called; `recusal` is empty where nothing stood against it."""

    place: int
    expert_number: int
    name: str
    order_sha256: str
    recusal: str
    recusal_detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """An expert who was called, in the order of the draw."""

    seat_id: int
    panel_id: int
    expert_number: int
    name: str
    place: int
    state: str
    seated_at: datetime
    declared_at: datetime | None
    declaration: str
    left_at: datetime | None
    left_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """A panel with its terms, its draw and its seats. `terms_basis` says of each term which rule or reason set it."""

    panel_id: int
    filing_id: int
    case_id: int
    case_number: str
    version_id: int
    fields: tuple[str, ...]
    seats_wanted: int
    quorum: int
    recommend_share: str
    reject_share: str
    terms_basis: Mapping[str, str]
    score_max: int
    criteria: tuple[Criterion, ...]
    log_head: int
    log_root: str
    seed: str
    drawn_at: datetime
    candidates: tuple[CandidateView, ...]
    seats: tuple[SeatView, ...]

    @property
    def declared(self) -> tuple[SeatView, ...]:
        """Return the seats of those who take part."""
        return tuple(seat for seat in self.seats if seat.state == SeatState.DECLARED)

    @property
    def sitting(self) -> tuple[SeatView, ...]:
        """Return the seats that are taken, declared or not yet."""
        return tuple(seat for seat in self.seats if seat.state in SITTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """An expert's opinion on a version as last saved; submitted it carries the hash it is signed by."""

    expert_number: int
    name: str
    version_id: int
    revision: int
    submitted: bool
    scores: Mapping[str, int]
    texts: Mapping[str, str]
    text: str
    recommendation: str
    sha256: str
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyView:
    """The applicant's answer to a remark."""

    organisation_id: int | None
    text: str
    replied_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkView:
    """A remark on a line of a file, with the answers to it."""

    remark_id: int
    expert_number: int
    name: str
    version_id: int
    path: str
    line: int
    quoted: str
    text: str
    made_at: datetime
    replies: tuple[ReplyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """An expert's own calculation; `result` row by row as the engine gave it."""

    trial_id: int
    expert_number: int
    version_id: int
    inputs: str
    inputs_sha256: str
    result: Sequence[Mapping[str, Any]]
    engine_version: str
    note: str
    calculated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteView:
    """One vote, with the dissent in its own words."""

    expert_number: int
    name: str
    vote: str
    dissent: str
    cast_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingView:
    """A meeting about a version; signed it has a conclusion, void it says why."""

    meeting_id: int
    panel_id: int
    version_id: int
    held_at: datetime
    place: str
    agenda: str
    present: tuple[int, ...]
    chair_number: int
    minutes_sha256: str
    conclusion: str
    opinion: str
    signed_at: datetime | None
    signature_sha256: str
    voided_at: datetime | None
    void_reason: str
    votes: tuple[VoteView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionView:
    """That an expert is to be, or was, taken off a panel."""

    exclusion_id: int
    expert_number: int
    name: str
    reason: str
    proposed_at: datetime
    confirmed_at: datetime | None


def filing(filing_id: int) -> FilingView:
    """Return one filing. Raises NotFound."""
    row = MethodologyFiling.objects.filter(pk=filing_id).first()
    if row is None:
        raise NotFound(what="备案事项 / filing", id=filing_id)
    return _filing_view(row)


def filing_of_case(case_id: int) -> FilingView | None:
    """Return the filing that a case is about, None where the case is about something else."""
    row = MethodologyFiling.objects.filter(case_id=case_id).first()
    return None if row is None else _filing_view(row)


def filing_to_correct(*, based_on_id: int | None, organisation_id: int) -> FilingView | None:
    """Return the filing, returned for correction, whose version a draft of the organisation was begun from."""
    if based_on_id is None:
        return None
    rows = MethodologyFiling.objects.filter(
        version_id=based_on_id, version__state=VersionState.RETURNED.value
    ).order_by("-id")
    row = rows.first()
    mine = row is not None and row.organisation_id in {None, organisation_id}
    return _filing_view(row) if row is not None and mine else None


def panel(panel_id: int) -> PanelView:
    """Return one panel. Raises NotFound."""
    row = _panels().filter(pk=panel_id).first()
    if row is None:
        raise NotFound(what="专家组 / panel", id=panel_id)
    return _panel_view(row)


def panel_of_case(case_id: int) -> PanelView | None:
    """Return the panel of a case, None while none is drawn."""
    row = _panels().filter(case_id=case_id).first()
    return None if row is None else _panel_view(row)


def panels_of_expert(expert_number: int) -> tuple[PanelView, ...]:
    """Return the panels on which an expert was ever seated, the newest first."""
    rows = _panels().filter(seats_taken__expert_id=expert_number).distinct().order_by("-id")
    return tuple(_panel_view(row) for row in rows)


def panels() -> tuple[PanelView, ...]:
    """Return every panel, the newest first."""
    return tuple(_panel_view(row) for row in _panels().order_by("-id"))


def reviews(panel_id: int, *, version_id: int, seen_by: int | None = None) -> tuple[ReviewView, ...]:
    """Return the last opinion of each expert on a version, by expert number.

    `seen_by` is the number of an expert who reads: until they have submitted their own, they see only their own.
    Others see what was submitted; nobody sees another's unfinished text.
    """
    latest: dict[int, ExpertReview] = {}
    stands: dict[int, ExpertReview] = {}
    for row in ExpertReview.objects.filter(panel_id=panel_id, version_id=version_id).order_by("revision"):
        latest[row.expert_id] = row
        if row.submitted:
            stands[row.expert_id] = row
    if seen_by is None:
        shown = stands
    elif seen_by in stands:
        shown = stands | {seen_by: latest[seen_by]}
    else:
        shown = {seen_by: latest[seen_by]} if seen_by in latest else {}
    names = expert_names(list(shown))
    return tuple(_review_view(shown[number], names) for number in sorted(shown))


def submitted_by(panel_id: int, *, version_id: int) -> frozenset[int]:
    """Return the experts who have submitted an opinion on a version."""
    rows = ExpertReview.objects.filter(panel_id=panel_id, version_id=version_id, submitted=True)
    return frozenset(rows.values_list("expert_id", flat=True))


def review_versions(panel_id: int, *, expert_number: int) -> tuple[ReviewView, ...]:
    """Return everything that an expert saved, the newest first."""
    rows = ExpertReview.objects.filter(panel_id=panel_id, expert_id=expert_number).order_by("-id")
    names = expert_names([expert_number])
    return tuple(_review_view(row, names) for row in rows)


def remarks(panel_id: int, *, seen_by: int | None = None) -> tuple[RemarkView, ...]:
    """Return the remarks with their answers, by file and line; an expert sees others' as with `reviews`."""
    rows = list(
        ReviewRemark.objects.filter(panel_id=panel_id)
        .prefetch_related("replies")
        .order_by("version_id", "path", "line", "id")
    )
    if seen_by is not None:
        open_to = {
            version_id
            for version_id in {row.version_id for row in rows}
            if seen_by in submitted_by(panel_id, version_id=version_id)
        }
        rows = [row for row in rows if row.expert_id == seen_by or row.version_id in open_to]
    names = expert_names([row.expert_id for row in rows])
    return tuple(
        RemarkView(
            remark_id=row.pk,
            expert_number=row.expert_id,
            name=names.get(row.expert_id, ""),
            version_id=row.version_id,
            path=row.path,
            line=row.line,
            quoted=row.quoted,
            text=row.text,
            made_at=row.made_at,
            replies=tuple(
                ReplyView(organisation_id=one.organisation_id, text=one.text, replied_at=one.replied_at)
                for one in sorted(row.replies.all(), key=lambda one: one.pk)
            ),
        )
        for row in rows
    )


def trials(panel_id: int, *, expert_number: int) -> tuple[TrialView, ...]:
    """Return an expert's own calculations, the newest first."""
    rows = ExpertTrial.objects.filter(panel_id=panel_id, expert_id=expert_number).order_by("-id")
    return tuple(
        TrialView(
            trial_id=row.pk,
            expert_number=row.expert_id,
            version_id=row.version_id,
            inputs=row.inputs,
            inputs_sha256=row.inputs_sha256,
            result=row.result,
            engine_version=row.engine_version,
            note=row.note,
            calculated_at=row.calculated_at,
        )
        for row in rows
    )


def meetings(panel_id: int) -> tuple[MeetingView, ...]:
    """Return the meetings of a panel, the newest first, void ones too."""
    rows = ReviewMeeting.objects.filter(panel_id=panel_id).prefetch_related("votes").order_by("-id")
    return tuple(_meeting_view(row) for row in rows)


def signed_meeting(panel_id: int, *, version_id: int) -> MeetingView | None:
    """Return the meeting whose signed conclusion holds for a version."""
    found = ReviewMeeting.objects.filter(
        panel_id=panel_id, version_id=version_id, signed_at__isnull=False, voided_at__isnull=True
    ).first()
    return None if found is None else _meeting_view(found)


def exclusions(panel_id: int) -> tuple[ExclusionView, ...]:
    """Return the exclusions of a panel, the newest first, proposed and confirmed."""
    rows = list(ExpertExclusion.objects.filter(panel_id=panel_id).order_by("-id"))
    names = expert_names([row.expert_id for row in rows])
    return tuple(
        ExclusionView(
            exclusion_id=row.pk,
            expert_number=row.expert_id,
            name=names.get(row.expert_id, ""),
            reason=row.reason,
            proposed_at=row.proposed_at,
            confirmed_at=row.confirmed_at,
        )
        for row in rows
    )


def _filing_view(row: MethodologyFiling) -> FilingView:
    handed_in = FilingVersion.objects.filter(filing=row).order_by("seq").values_list("version_id", flat=True)
    return FilingView(
        filing_id=row.pk,
        organisation_id=row.organisation_id,
        case_id=row.case_id,
        version_id=row.version_id,
        version_ids=tuple(handed_in),
    )


def _panels() -> QuerySet[ReviewPanel]:
    return ReviewPanel.objects.select_related("filing").prefetch_related("candidates", "seats_taken")


def _panel_view(row: ReviewPanel) -> PanelView:
    candidates = sorted(row.candidates.all(), key=lambda one: one.place)
    names = expert_names([one.expert_id for one in candidates])
    return PanelView(
        panel_id=row.pk,
        filing_id=row.filing_id,
        case_id=row.case_id,
        case_number=row.case_number,
        version_id=row.filing.version_id,
        fields=tuple(row.fields),
        seats_wanted=row.seats,
        quorum=row.quorum,
        recommend_share=row.recommend_share,
        reject_share=row.reject_share,
        terms_basis=row.terms_basis,
        score_max=row.score_max,
        criteria=tuple(Criterion(**one) for one in row.criteria),
        log_head=row.log_head,
        log_root=row.log_root,
        seed=row.seed,
        drawn_at=row.drawn_at,
        candidates=tuple(_candidate_view(one, names) for one in candidates),
        seats=tuple(
            _seat_view(seat, names) for seat in sorted(row.seats_taken.all(), key=lambda one: one.place)
        ),
    )


def _candidate_view(row: PanelCandidate, names: Mapping[int, str]) -> CandidateView:
    return CandidateView(
        place=row.place,
        expert_number=row.expert_id,
        name=names.get(row.expert_id, ""),
        order_sha256=row.order_sha256,
        recusal=row.recusal,
        recusal_detail=row.recusal_detail,
    )


def _seat_view(row: PanelSeat, names: Mapping[int, str]) -> SeatView:
    return SeatView(
        seat_id=row.pk,
        panel_id=row.panel_id,
        expert_number=row.expert_id,
        name=names.get(row.expert_id, ""),
        place=row.place,
        state=row.state,
        seated_at=row.seated_at,
        declared_at=row.declared_at,
        declaration=row.declaration,
        left_at=row.left_at,
        left_reason=row.left_reason,
    )


def _review_view(row: ExpertReview, names: Mapping[int, str]) -> ReviewView:
    return ReviewView(
        expert_number=row.expert_id,
        name=names.get(row.expert_id, ""),
        version_id=row.version_id,
        revision=row.revision,
        submitted=row.submitted,
        scores=row.scores,
        texts=row.texts,
        text=row.text,
        recommendation=row.recommendation,
        sha256=row.sha256,
        saved_at=row.saved_at,
    )


def _meeting_view(row: ReviewMeeting) -> MeetingView:
    votes = sorted(row.votes.all(), key=lambda one: one.expert_id)
    names = expert_names([one.expert_id for one in votes])
    return MeetingView(
        meeting_id=row.pk,
        panel_id=row.panel_id,
        version_id=row.version_id,
        held_at=row.held_at,
        place=row.place,
        agenda=row.agenda,
        present=tuple(row.present),
        chair_number=row.chair_id,
        minutes_sha256=row.minutes_sha256,
        conclusion=row.conclusion,
        opinion=row.opinion,
        signed_at=row.signed_at,
        signature_sha256=row.signature_sha256,
        voided_at=row.voided_at,
        void_reason=row.void_reason,
        votes=tuple(
            VoteView(
                expert_number=one.expert_id,
                name=names.get(one.expert_id, ""),
                vote=one.vote,
                dissent=one.dissent,
                cast_at=one.cast_at,
            )
            for one in votes
        ),
    )
