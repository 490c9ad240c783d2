"""What stands on the letter of a decision (决定书): from the case to the sheet that is typeset."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from tanpuhui.foundation.documents.queries import Sealed, sealer
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.rulebook.queries import jurisdiction, process_by_id
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import CaseView, LetterView, TimelineLine
from tanpuhui.interfaces.design.letter import LetterSheet, render_letter

KINDS = {"correction": "更正决定书", "rescission": "撤销决定书", "appeal_decision": "申诉决定书"}
"""Titles of the kinds of letter that the shipped processes name; another kind is a 决定书."""


def letter_pdf(letter: LetterView) -> Sealed:
    """Set the letter of a decision and seal it as this installation does. Raises FontsMissing, TypesettingFailed.

    Letters are in Chinese, the language in which the decision was taken.
    """
    return sealer().seal(render_letter(_sheet(workflow.case(letter.case_id), letter)), seal_id=letter.kind)


def letter_title(kind: str) -> str:
    """Return what a kind of letter is called."""
    return KINDS.get(kind, "决定书")


def _sheet(view: CaseView, letter: LetterView) -> LetterSheet:
    line = next(one for one in workflow.timeline(view.case_id) if one.step == letter.step)
    version = process_by_id(view.process_version_id)
    corrected = [one for one in workflow.case_file(view.case_id).corrections if one.step == letter.step]
    facts = [
        ("案件", view.number),
        ("事项", view.title),
        ("流程", f"{version.label_zh}，第 {version.version} 版"),
        (
            "决定",
            f"第 {letter.step} 步，{line.label_zh}；案件现为“{version.state(letter.to_state).label_zh}”",
        ),
        *(("填写", f"{name} {value}") for name, value in sorted(line.values.items()) if len(value) < 200),
    ]
    if corrected:
        facts.append(
            ("更正", f"意见的文字已更正 {len(corrected)} 次，见案件 {corrected[-1].amendment_number}")
        )
    return LetterSheet(
        number=letter.number,
        title=letter_title(letter.kind),
        addressee=_addressee(view),
        decision=f"关于{view.title}（{view.number}），经办理，决定：{line.label_zh}。",
        opinion=line.opinion,
        facts=tuple(facts),
        signatures=(_signature(line),),
        seal=sealer().statement_zh,
        digest=f"决定签名 SHA-256 {letter.sha256}",
        verify_url=verification_url(letter.code),
        issuer=organisation(line.organisation_id).name if line.organisation_id else jurisdiction().scheme_zh,
        issued_on=business_day(letter.at),
        revocation="这一决定已经撤销" if letter.rescinded else "",
    )


def _addressee(view: CaseView) -> str:
    """Return whose case it is; a letter about another case goes to the organisation of that one."""
    if view.organisation_id is not None:
        return organisation(view.organisation_id).name
    related = (
        one for one in workflow.case_file(view.case_id).related if one.outgoing and one.kind == "amends"
    )
    original = next((workflow.case(one.case_id) for one in related), None)
    return organisation(original.organisation_id).name if original and original.organisation_id else ""


def verification_url(code: str) -> str:
    """Return the public address at which a letter is checked."""
    return settings.TANPUHUI_PUBLIC_URL.rstrip("/") + reverse("portal:letter", args=[code])


def _signature(line: TimelineLine) -> str:
    behalf = f"（代 {line.on_behalf_of}）" if line.on_behalf_of else ""
    when = line.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return f"{line.who}{behalf}，账号 {line.actor_kind}:{line.actor_id}，{when} 签署"
