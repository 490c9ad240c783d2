"""Everything in a closed case, as its archive package says it (归档)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import CaseRuns
from tanpuhui.foundation.workflow.domain.archive import FORMAT, attachment_path, index_bytes
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.queries._file import CaseFile, case_file
from tanpuhui.foundation.workflow.queries._history import timeline
from tanpuhui.foundation.workflow.queries._notice_comments import published_comments
from tanpuhui.foundation.workflow.queries._notices import notices_of
from tanpuhui.foundation.workflow.queries._signature import signed
from tanpuhui.foundation.workflow.queries._views import case_row


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveContent:
    """What goes into the package: the index, and each attachment's path and hash, in the order of the package."""

    number: str
    index: Mapping[str, Any]
    attachments: tuple[tuple[str, str], ...]

    @property
    def index_bytes(self) -> bytes:
        """Return the index as canonical JSON: the same case gives the same bytes."""
        return index_bytes(self.index)


def archive_content(case_id: int) -> ArchiveContent:
    """Return what the package of a closed case holds. Raises NotFound, CaseRuns while it runs.

    Comments of the public stand there as they were published, with their names masked; what a person said in confidence
    to those who answer is not in the package.
    """
    row = case_row(case_id)
    if row.closed_at is None:
        raise CaseRuns(number=row.number)
    file = case_file(case_id)
    paths = [
        attachment_path(position, kind=paper.kind, version=paper.version, name=paper.name)
        for position, paper in enumerate(file.attachments, start=1)
    ]
    index = {
        "format": FORMAT,
        "case": _case(row),
        "decisions": _decisions(row, file),
        "attachments": [
            {
                "path": path,
                "kind": paper.kind,
                "name": paper.name,
                "version": paper.version,
                "sha256": paper.sha256,
                "size": paper.size,
                "step": paper.step,
                "by": paper.who,
                "at": _moment(paper.at),
            }
            for path, paper in zip(paths, file.attachments, strict=True)
        ],
        "remarks": _remarks(file),
        "acts": [
            {
                "kind": act.kind,
                "step": act.step,
                "by": act.who,
                "text": act.text,
                "data": dict(act.data),
                "at": _moment(act.at),
            }
            for act in file.acts
        ],
        "notices": _notices(row),
        "related": [
            {"number": one.number, "kind": one.kind, "outgoing": one.outgoing, "at": _moment(one.at)}
            for one in file.related
        ],
    }
    papers = tuple(zip(paths, (paper.sha256 for paper in file.attachments), strict=True))
    return ArchiveContent(number=row.number, index=index, attachments=papers)


def _case(row: Case) -> dict[str, Any]:
    version = rulebook.process_by_id(row.process_version_id)
    states = {
        state.code: {"code": state.code, "zh": state.label_zh, "en": state.label_en}
        for state in version.states
    }
    named = {party.role: party.organisation_id for party in row.parties.all()}
    return {
        "number": row.number,
        "title": row.title,
        "process": {
            "code": row.process,
            "version": version.version,
            "zh": version.label_zh,
            "en": version.label_en,
        },
        "subject": {"type": row.subject_type, "id": row.subject_id},
        "area": row.area,
        "state": states[row.state],
        "opened_at": _moment(row.opened_at),
        "closed_at": _moment(row.closed_at),
        "organisation": _organisation(row.organisation_id),
        "parties": {role: _organisation(organisation_id) for role, organisation_id in sorted(named.items())},
    }


def _decisions(row: Case, file: CaseFile) -> list[dict[str, Any]]:
    lines = {line.step: line for line in timeline(row.pk)}
    found, previous = [], ""
    for decision in Decision.objects.filter(case=row).select_related("rescinds").order_by("step"):
        line = lines[decision.step]
        found.append(
            {
                "signed": signed(decision, number=row.number, previous=previous),
                "sha256": decision.sha256,
                "zh": line.label_zh,
                "en": line.label_en,
                "by": line.who,
                "on_behalf_of": line.on_behalf_of,
                "organisation": _organisation(decision.organisation_id),
                "rescinded_by": line.rescinded_by,
                "corrections": [
                    {
                        "version": one.version,
                        "opinion": one.opinion,
                        "reason": one.reason,
                        "case": one.amendment_number,
                        "at": _moment(one.at),
                    }
                    for one in file.corrections
                    if one.step == decision.step
                ],
            }
        )
        previous = decision.sha256
    return found


def _remarks(file: CaseFile) -> list[dict[str, Any]]:
    return [
        {
            "item": one.item,
            "text": one.text,
            "by": one.who,
            "role": one.role,
            "step": one.step,
            "at": _moment(one.at),
            "settled": one.settled,
            "answers": [
                {
                    "text": answer.text,
                    "by": answer.who,
                    "role": answer.role,
                    "settles": answer.settles,
                    "at": _moment(answer.at),
                }
                for answer in one.answers
            ],
        }
        for one in file.remarks
    ]


def _notices(row: Case) -> list[dict[str, Any]]:
    return [
        {
            "title": view.title,
            "working_days": view.working_days,
            "basis": view.days_basis,
            "opens_on": view.opens_on.isoformat(),
            "last_day": view.last_day.isoformat(),
            "result": view.result,
            "comments": [
                {
                    "name": one.name,
                    "text": one.text,
                    "objection": one.objection,
                    "files": one.files,
                    "at": _moment(one.at),
                    "answer": {
                        "text": one.answer.text,
                        "upheld": one.answer.upheld,
                        "at": _moment(one.answer.at),
                    },
                }
                for one in published_comments(view.notice_id)
            ],
        }
        for view in notices_of(row.pk, at=row.closed_at or row.opened_at)
    ]


def _organisation(organisation_id: int | None) -> dict[str, str] | None:
    if organisation_id is None:
        return None
    found = identity.organisation(organisation_id)
    return {"name": found.name, "name_en": found.name_en, "uscc": found.uscc}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(CHINA).isoformat(timespec="seconds")
