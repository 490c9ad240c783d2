"""The record of a review (评审记录): draw, recusals, votes and dissent in one document, which the notice publishes with its hash."""

from __future__ import annotations

import json
from datetime import datetime

from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.workflow.operations import attach
from tanpuhui.science.methodology.models import MeetingVote, ReviewMeeting, ReviewPanel
from tanpuhui.science.methodology.queries import expert_names, panel

RECORD_KIND = "review_record"
RECORD_NAME = "评审记录.json"
MINUTES_KIND = "minutes"
MINUTES_NAME = "会议纪要"
FORMAT = "tanpuhui-review/1"


def attach_record(row: ReviewPanel, *, meeting: ReviewMeeting, at: datetime) -> None:
    """Put the record of a signed meeting to the case, beside its minutes; scores and remarks are not published."""
    content = json.dumps(_record(row, meeting), ensure_ascii=False, indent=1, sort_keys=True).encode()
    stored = store_document(content=content, name=RECORD_NAME, media_type="application/json", at=at)
    for kind, name, sha256 in (
        (RECORD_KIND, RECORD_NAME, stored.sha256),
        (MINUTES_KIND, MINUTES_NAME, meeting.minutes_sha256),
    ):
        attach(
            actor=SYSTEM,
            at=at,
            idempotency_key=None,
            case_id=row.case_id,
            kind=kind,
            name=name,
            sha256=sha256,
        )


def _record(row: ReviewPanel, meeting: ReviewMeeting) -> dict[str, object]:
    view = panel(row.pk)
    votes = list(MeetingVote.objects.filter(meeting=meeting).order_by("expert_id"))
    names = expert_names([*(one.expert_id for one in votes), *meeting.present, meeting.chair_id])
    return {
        "format": FORMAT,
        "case": view.case_number,
        "methodology": f"{row.filing.version.code} {row.filing.version.version}",
        "archive_sha256": row.filing.version.archive_sha256,
        "draw": {
            "seed": "SHA-256(log_root|case)",
            "order": "SHA-256(seed|expert)",
            "log_head": view.log_head,
            "log_root": view.log_root,
            "seed_sha256": view.seed,
            "fields": list(view.fields),
            "seats": view.seats_wanted,
            "quorum": view.quorum,
            "terms": dict(view.terms_basis),
            "candidates": [
                {"expert": one.expert_number, "name": one.name, "order_sha256": one.order_sha256, "recusal": one.recusal, "detail": one.recusal_detail}
                for one in view.candidates
            ],
            "called": [
                {"expert": one.expert_number, "name": one.name, "state": one.state, "left": one.left_reason}
                for one in view.seats
            ],
        },
        "meeting": {
            "held_at": meeting.held_at.isoformat(),
            "place": meeting.place,
            "present": [{"expert": one, "name": names.get(one, "")} for one in meeting.present],
            "chair": meeting.chair_id,
            "minutes_sha256": meeting.minutes_sha256,
            "recommend_share": view.recommend_share,
            "reject_share": view.reject_share,
            "votes": [
                {"expert": one.expert_id, "name": names.get(one.expert_id, ""), "vote": one.vote, "dissent": one.dissent}
                for one in votes
            ],
            "conclusion": meeting.conclusion,
            "opinion": meeting.opinion,
            "signature_sha256": meeting.signature_sha256,
        },
    }  # fmt: skip
