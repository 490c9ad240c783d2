"""Letters of decisions: a number without gaps by a pattern that is data, the sheet as PDF, and a page on which anybody checks one."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import rfc8785
from django.test import Client
from pytest_django import Settings
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_case_amending import act, page_of, returned
from tests.integration.interfaces.workbench.test_chain import post

from tanpuhui.foundation.keys.queries import published_keys, verify_signature
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.models import DecisionLetter


def dismissed(desk: Desk) -> tuple[int, workflow.LetterView]:
    """Return an appeal that was not admitted, and its letter."""
    case_id = returned(desk)
    post(desk.client("owner"), f"/w/cases/{case_id}/appeal", reason="数据齐全")
    (appeal,) = workflow.case_file(case_id).related
    act(desk, "checker", appeal.case_id, "refuse_admission", "没有新的理由，不予受理")
    (letter,) = workflow.letters_of(appeal.case_id)
    return appeal.case_id, letter


def test_a_letter_has_its_number_by_the_provinces_pattern_and_reads_the_same_each_time(desk: Desk) -> None:
    case_id, letter = dismissed(desk)
    assert letter.number == "黄碳申字〔2026〕1号"
    assert letter.number in page_of(desk, "owner", case_id)
    address = f"/w/cases/{case_id}/letters/{letter.letter_id}.pdf"
    first = desk.client("owner").get(address)
    assert first["Content-Type"] == "application/pdf"
    assert first.content.startswith(b"%PDF")
    assert desk.client("checker").get(address).content == first.content
    assert desk.client("other_owner").get(address).status_code == 404
    assert desk.client("owner").get(address.replace(".pdf", ".sig.json")).status_code == 404, (
        "nothing is sealed here"
    )
    other = returned_case_without_letters(desk)
    assert desk.client("owner").get(f"/w/cases/{other}/letters/{letter.letter_id}.pdf").status_code == 404


def returned_case_without_letters(desk: Desk) -> int:
    case_id = desk.cast.report(pool_id=2).case_id
    assert workflow.letters_of(case_id) == ()
    return case_id


def test_a_refused_decision_uses_no_number_and_where_no_rule_sets_a_pattern_the_platforms_own_is_used(
    desk: Desk,
) -> None:
    case_id = returned(desk)
    decision_id = workflow.timeline(case_id)[-1].decision_id
    for wording in ("甲", "乙"):
        post(
            desk.client("maker"), f"/w/cases/{case_id}/amend", decision_id=decision_id, kind="correction", wording=wording,
            reason="笔误",
        )  # fmt: skip
        amendment = workflow.case_file(case_id).related[-1].case_id
        empty = post(
            desk.client("checker"),
            f"/w/cases/{amendment}",
            decision="confirm_correction",
            opinion=" ",
            seen_step=1,
        )
        assert "OPINION_MISSING" in empty.content.decode()
        act(desk, "checker", amendment, "confirm_correction")
    numbers = list(DecisionLetter.objects.order_by("id").values_list("number", flat=True))
    assert [re.sub(r"^[A-Z0-9]+-", "", number) for number in numbers] == [
        "CORRECTION-2026-0001",
        "CORRECTION-2026-0002",
    ]
    owner = page_of(desk, "owner", case_id)
    assert all(number in owner for number in numbers), "the party reads the letters on its own case"
    letter = workflow.letters_of(case_id)[0]
    pdf = desk.client("owner").get(f"/w/cases/{case_id}/letters/{letter.letter_id}.pdf")
    assert pdf.content.startswith(b"%PDF")


def test_anybody_checks_a_letter_and_learns_nothing_of_the_party(desk: Desk) -> None:
    _, letter = dismissed(desk)
    stranger = Client(headers={"accept-language": "zh-hans"})
    page = stranger.get(f"/letters/{letter.code}").content.decode()
    assert "决定有效" in page
    assert letter.number in page
    assert letter.sha256 in page
    assert "没有新的理由" not in page
    assert "owner 机构" not in page
    for wrong in (
        letter.code[:-1] + ("0" if letter.code[-1] != "0" else "1"),
        str(letter.letter_id),
        "x-y",
        f"{10**30}-0",
    ):
        answer = stranger.get(f"/letters/{wrong}")
        assert answer.status_code == 404
        assert "没有这份决定书" in answer.content.decode()


def test_a_detached_signature_is_verified_with_the_published_keys_and_never_called_a_seal(
    desk: Desk, settings: Settings
) -> None:
    settings.TANPUHUI_SEAL = "detached"
    case_id, letter = dismissed(desk)
    owner = desk.client("owner")
    pdf = owner.get(f"/w/cases/{case_id}/letters/{letter.letter_id}.pdf").content
    made = json.loads(owner.get(f"/w/cases/{case_id}/letters/{letter.letter_id}.sig.json").content)
    assert made["signed"]["sha256"] == hashlib.sha256(pdf).hexdigest()
    keys = {key["key_id"]: key for key in published_keys()}
    assert made["signatures"]
    for one in made["signatures"]:
        key = keys[one["key_id"]]
        assert verify_signature(
            algorithm=one["algorithm"],
            public_key=bytes.fromhex(str(key["public_key"])),
            message=rfc8785.dumps(made["signed"]),
            signature=base64.b64decode(one["signature"]),
        )
