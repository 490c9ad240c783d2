"""What the page of a case says of its attachments and item-level remarks (附件、逐项意见)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from tanpuhui.foundation.documents.queries import sealer
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import (
    ATTACHMENT_BYTES_MAX,
    ATTACHMENT_TYPES,
    AttachmentView,
    AvailableOutcome,
    CaseFile,
    CaseRights,
    CaseView,
)
from tanpuhui.interfaces.workbench.letter_sheet import letter_title
from tanpuhui.interfaces.workbench.words import ATTACHMENT_KINDS, attachment_kind, role_name

OTHER_KIND = "other"


def papers(
    view: CaseView,
    file: CaseFile,
    outcomes: Sequence[AvailableOutcome],
    kept: Mapping[str, Any],
    rights: CaseRights,
) -> dict[str, Any]:
    """Return what the page says of attachments and remarks: latest versions first seen, settled remarks folded."""
    there = {paper.kind for paper in file.attachments}
    wanted = list(dict.fromkeys(kind for found in outcomes for kind in found.evidence if kind not in there))
    open_remarks = [one for one in file.remarks if not one.settled]
    return {
        "documents": _documents(file.attachments),
        "wanted": [attachment_kind(kind) for kind in wanted],
        "kinds": [(kind, attachment_kind(kind)) for kind in dict.fromkeys((*wanted, *ATTACHMENT_KINDS))],
        "kind": kept.get("kind", wanted[0] if wanted else OTHER_KIND),
        "accept": ",".join(f".{end}" for end in ATTACHMENT_TYPES),
        "megabytes": ATTACHMENT_BYTES_MAX // 1_000_000,
        "open": [_remark(one, kept) for one in open_remarks],
        "settled": [_remark(one, kept) for one in file.remarks if one.settled],
        "shown": bool(file.attachments or file.remarks or rights.writes),
        "attach_url": reverse("workbench:case-attach", args=[view.case_id]),
        "remark_url": reverse("workbench:case-remark", args=[view.case_id]),
    }


def letters(case_id: int) -> list[dict[str, Any]]:
    """Return the letters of a case, each with its number and files."""
    signed = sealer().signs
    return [
        {
            "title": letter_title(one.kind),
            "number": one.number,
            "rescinded": one.rescinded,
            "url": reverse("workbench:case-letter", args=[case_id, one.letter_id]),
            "signature_url": reverse("workbench:case-letter-signature", args=[case_id, one.letter_id])
            if signed
            else "",
        }
        for one in workflow.letters_of(case_id)
    ]


def _documents(attachments: Sequence[AttachmentView]) -> list[dict[str, Any]]:
    """Return one line for each document, its newest version, with the earlier ones under it."""
    grouped: dict[tuple[str, str], list[AttachmentView]] = {}
    for paper in attachments:
        grouped.setdefault((paper.kind, paper.name), []).append(paper)
    return [
        {
            "kind": attachment_kind(kind),
            "latest": _paper(versions[-1]),
            "earlier": [_paper(one) for one in reversed(versions[:-1])],
        }
        for (kind, _), versions in grouped.items()
    ]


def _paper(paper: AttachmentView) -> dict[str, Any]:
    return {
        "name": paper.name,
        "version": paper.version,
        "size": paper.size,
        "who": paper.who,
        "at": paper.at,
        "sha256": paper.sha256,
        "url": reverse("workbench:case-attachment", args=[paper.case_id, paper.attachment_id]),
    }


def _remark(one: workflow.RemarkView, kept: Mapping[str, Any]) -> dict[str, Any]:
    answering = str(one.remark_id) == kept.get("answers", "")
    return {
        "view": one,
        "role": "" if one.role == "opener" else role_name(one.role),
        "kept": kept.get("text", "") if answering else "",
        "open": answering,
    }
