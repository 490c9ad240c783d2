"""What a seated expert writes: scored opinion, remarks on lines, own trial calculation; and the applicant's answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.engine import ENGINE_VERSION, interpret
from tanpuhui.science.engine.notation import number_text
from tanpuhui.science.engine.record_text import MAX_TEXT, read_rows
from tanpuhui.science.methodology.domain import (
    Conclusion,
    Criterion,
    NotSeated,
    ReviewSealed,
    SeatState,
    check_scores,
    signed_sha256,
)
from tanpuhui.science.methodology.domain.reviews import TEXT_CHARACTERS_MAX
from tanpuhui.science.methodology.models import (
    ExpertReview,
    ExpertTrial,
    RemarkReply,
    ReviewMeeting,
    ReviewPanel,
    ReviewRemark,
)
from tanpuhui.science.methodology.operations._experts import own_number
from tanpuhui.science.methodology.operations._fees import earn
from tanpuhui.science.methodology.operations._seats import locked_panel
from tanpuhui.science.methodology.queries import files, loaded

APPLICANTS = frozenset({Role.OWNER, Role.PARTNER, Role.EXPERT, Role.MAKER, Role.SUBCENTRE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSaved:
    """An opinion as it stands; submitted it has a hash."""

    panel_id: int
    expert_number: int
    revision: int
    submitted: bool
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkMade:
    """A remark, or an answer to it."""

    panel_id: int
    remark_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKept:
    """A calculation with an expert's own numbers."""

    panel_id: int
    trial_id: int
    inputs_sha256: str
    rows: int


@operation(roles={Role.EXPERT}, subject="review_panel:{panel_id}")
def save_review(
    *,
    actor: Actor,
    at: datetime,
    panel_id: int,
    scores: Mapping[str, int],
    texts: Mapping[str, str],
    text: str,
    recommendation: str,
    submit: bool,
    idempotency_key: str,
) -> ReviewSaved:
    """Save an opinion on the version that is before the panel; with `submit` it is handed in, whole and signed.

    Every saving is kept; until the meeting is signed an opinion may be handed in anew, and the last one stands.
    Raises NotFound, NotPermitted, NotSeated, ReviewSealed, Invalid.
    """
    panel = locked_panel(panel_id)
    number = seated(actor, panel, what="评审", what_en="review")
    version_id = panel.filing.version_id
    if ReviewMeeting.objects.filter(
        panel=panel, version_id=version_id, signed_at__isnull=False, voided_at__isnull=True
    ).exists():
        raise ReviewSealed
    if len(text) > TEXT_CHARACTERS_MAX or any(len(one) > TEXT_CHARACTERS_MAX for one in texts.values()):
        raise Invalid(field="text", why=f"最多 {TEXT_CHARACTERS_MAX} 个字 / at most so many characters")
    if submit:
        criteria = [Criterion(**one) for one in panel.criteria]
        check_scores(scores=scores, texts=texts, criteria=criteria, score_max=panel.score_max)
        if not text.strip():
            raise Invalid(field="text", why="请写明总体意见 / write the opinion as a whole")
        if recommendation not in set(Conclusion):
            raise Invalid(field="recommendation", why="推荐、退回或不推荐 / recommend, return or reject")
    mine = ExpertReview.objects.filter(panel=panel, expert_id=number, version_id=version_id)
    revision = (mine.aggregate(last=Max("revision"))["last"] or 0) + 1
    first = submit and not mine.filter(submitted=True).exists()
    content = {
        "account": actor.id,
        "at": at.isoformat(),
        "case": panel.case_number,
        "expert": number,
        "archive_sha256": panel.filing.version.archive_sha256,
        "parameter_set_sha256": panel.filing.version.parameter_set_sha256,
        "scores": dict(scores),
        "texts": dict(texts),
        "text": text,
        "recommendation": recommendation,
    }
    row = ExpertReview.objects.create(
        panel=panel,
        expert_id=number,
        version_id=version_id,
        revision=revision,
        submitted=submit,
        scores=dict(scores),
        texts=dict(texts),
        text=text,
        recommendation=recommendation,
        sha256=signed_sha256(content) if submit else "",
        saved_at=at,
    )
    if first:
        earn(panel=panel, expert_number=number, kind="review", subject=f"{panel.pk}:{version_id}", at=at)
    return ReviewSaved(
        panel_id=panel_id, expert_number=number, revision=revision, submitted=submit, sha256=row.sha256
    )


@operation(roles={Role.EXPERT}, subject="review_panel:{panel_id}")
def make_remark(
    *, actor: Actor, at: datetime, panel_id: int, path: str, line: int, text: str, idempotency_key: str
) -> RemarkMade:
    """Remark on one line of one file of the version (its methodology.yaml holds the formulas). Raises as `save_review`."""
    panel = locked_panel(panel_id)
    number = seated(actor, panel, what="写意见", what_en="remark")
    content = files(panel.filing.version_id).get(path)
    if content is None:
        raise NotFound(what="归档中的文件 / file of the archive", id=path)
    lines = content.decode("utf-8").splitlines()
    if not 1 <= line <= len(lines):
        raise Invalid(field="line", why=f"{path} 有 {len(lines)} 行 / it has {len(lines)} lines")
    row = ReviewRemark.objects.create(
        panel=panel,
        expert_id=number,
        version_id=panel.filing.version_id,
        path=path,
        line=line,
        quoted=lines[line - 1],
        text=_written(text),
        made_at=at,
    )
    return RemarkMade(panel_id=panel_id, remark_id=row.pk)


@operation(roles=APPLICANTS, subject="review_panel:{panel_id}")
def reply_to_remark(
    *, actor: Actor, at: datetime, remark_id: int, text: str, idempotency_key: str
) -> RemarkMade:
    """Answer a remark, as the applicant (or the centre where the filing is its own). Raises NotFound, NotPermitted, Invalid."""
    remark = ReviewRemark.objects.select_related("panel").filter(pk=remark_id).first()
    if remark is None:
        raise NotFound(what="意见 / remark", id=remark_id)
    panel = locked_panel(remark.panel_id)
    organisation_id = require_applicant(actor, case_id=panel.case_id, operation="methodology.reply_to_remark")
    RemarkReply.objects.create(
        remark=remark,
        user_id=actor.id,
        organisation_id=organisation_id,
        text=_written(text),
        replied_at=at,
    )
    return RemarkMade(panel_id=panel.pk, remark_id=remark_id)


@operation(roles={Role.EXPERT}, subject="review_panel:{panel_id}")
def run_expert_trial(
    *, actor: Actor, at: datetime, panel_id: int, rows: str, note: str = "", idempotency_key: str
) -> TrialKept:
    """Calculate an expert's own rows with the version, and keep inputs, their hash, results and the engine's version.

    The results are exact; a row that cannot be read keeps its fault. Raises as `save_review`, and the engine's refusals.
    """
    panel = locked_panel(panel_id)
    number = seated(actor, panel, what="试算", what_en="calculate")
    if not rows.strip() or len(rows) > MAX_TEXT:
        raise Invalid(field="rows", why=f"1 到 {MAX_TEXT} 个字符 / 1 to {MAX_TEXT} characters")
    version = loaded(panel.filing.version_id)
    version.require_runnable()
    read = read_rows(version, rows)
    results: list[dict[str, str | int]] = []
    for row in read.rows:
        if row.fault:
            results.append({"row": row.number, "fault_zh": row.fault.zh, "fault_en": row.fault.en})
            continue
        found = interpret(version, row.values)
        results.append(
            {
                "row": row.number,
                "grams": "" if found.grams is None else str(found.grams.value),
                "remainder_g": "" if found.remainder_g is None else number_text(found.remainder_g),
                "variant": found.variant or "",
                "reason": found.reason or "",
            }
        )
    kept = ExpertTrial.objects.create(
        panel=panel,
        expert_id=number,
        version_id=panel.filing.version_id,
        inputs=rows,
        inputs_sha256=hashlib.sha256(rows.encode()).hexdigest(),
        result=results,
        engine_version=ENGINE_VERSION,
        note=note.strip(),
        calculated_at=at,
    )
    return TrialKept(panel_id=panel_id, trial_id=kept.pk, inputs_sha256=kept.inputs_sha256, rows=len(results))


def seated(actor: Actor, panel: ReviewPanel, *, what: str, what_en: str) -> int:
    """Return the number of the expert who acts, if they sit and have declared. Raises NotPermitted, NotSeated."""
    number = own_number(actor)
    if not panel.seats_taken.filter(expert_id=number, state=SeatState.DECLARED.value).exists():
        raise NotSeated(what=what, what_en=what_en)
    return number


def require_applicant(actor: Actor, *, case_id: int, operation: str) -> int | None:
    """Return the organisation for which somebody acts as the applicant of a case, None for the centre's own.

    The centre also hands in what an expert body proposed: an expert of that body decides no case of the committee.
    Raises NotPermitted.
    """
    case = workflow.case(case_id)
    if case.organisation_id is None or (
        identity.organisation(case.organisation_id).kind == identity.OrganisationKind.EXPERT_BODY
        and actor.has(Role.MAKER, Role.SUBCENTRE, area=case.area)
    ):
        actor.require(Role.MAKER, Role.SUBCENTRE, operation=operation, area=case.area)
        return None
    if not actor.has(*APPLICANTS, organisation_id=case.organisation_id):
        raise NotPermitted(operation=operation)
    return case.organisation_id


def _written(text: str) -> str:
    if not text.strip() or len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(field="text", why=f"1 到 {TEXT_CHARACTERS_MAX} 个字 / characters")
    return text.strip()
