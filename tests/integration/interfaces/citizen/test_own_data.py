"""The copy of one's own data: complete, the same in both forms, for the person alone, and written down."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest
from django.test import Client
from tests.integration.behaviour.activity import town as made_up
from tests.integration.interfaces.citizen.conftest import Place

from tanpuhui.foundation.audit.operations import hand_over_own_data
from tanpuhui.foundation.audit.queries import disclosures_of
from tanpuhui.foundation.identity.queries.sessions import SESSION_STAMP
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.interfaces.citizen.own_copy import PARTS

pytestmark = pytest.mark.django_db


def fresh(client: Client, place: Place, *, seconds: int = 600) -> Client:
    """Say that the session was opened now and counts as fresh for so long."""
    session = client.session
    stamp = {"opened_at": place.now.isoformat(), "fresh_seconds": seconds}
    session[SESSION_STAMP] = session.get(SESSION_STAMP, {}) | stamp
    session.save()
    return client


def taken(client: Client, form: str) -> Any:
    response = client.post(f"/m/me/data/copy.{form}")
    assert response.status_code == 200, response.content.decode()[:2000]
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    if form == "json":
        return json.loads(body)
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def test_the_copy_holds_everything_and_both_forms_say_the_same(place: Place) -> None:
    place.ride(made_up.bus("R1"), made_up.bus("R2", "S2"))
    client = fresh(place.client(), place)
    found = taken(client, "json")
    assert tuple(found)[1:] == PARTS
    assert found["person"][0]["phone"] == "13900000000"
    assert [one["scenario"] for one in found["consents"]] == ["bus", "bike"]
    assert all("不卖给任何人" in one["text"] and len(one["text_sha256"]) == 64 for one in found["consents"])
    assert [one["partner"] for one in found["partners"]] == ["灯塔出行"]
    record = place.record()
    assert [(one["record_id"], one["grams"]) for one in found["records"]] == [
        (record.record_id, record.grams.value)
    ]
    assert sum(one["grams"] for one in found["lines"]) == record.grams.value
    sheets = taken(client, "xlsx")
    assert tuple(sheets) == PARTS
    for code in PARTS[:-1]:  # taking the first copy added a line to the last part
        width = len(sheets[code][0])
        rows = [[*row, *[None] * (width - len(row))] for row in sheets[code][1:]]
        assert [[one if one != "" else None for one in each.values()] for each in found[code]] == rows, code


def test_nothing_of_anybody_else_is_in_it(place: Place) -> None:
    place.ride(made_up.bus("MINE-1"), made_up.bus("THEIRS-1", "S2"))
    text = json.dumps(taken(fresh(place.client(), place), "json"))
    assert ("MINE-1" in text, "THEIRS-1" in text, "13900000001" in text) == (True, False, False)


def test_somebody_without_an_account_gets_what_there_is(place: Place) -> None:
    found = taken(fresh(place.client("S3"), place), "json")
    assert (found["person"][0]["phone"], found["account"], found["records"]) == ("13900000002", [], [])


def test_taking_it_is_written_down_and_shown(place: Place) -> None:
    client = fresh(place.client(), place)
    assert "还没有把您的数据单独提供给谁" in client.get("/m/me/data").content.decode()
    taken(client, "json")
    (line,) = disclosures_of(place.town.users["S1"])
    assert (line.purpose, line.data_kinds) == ("own_copy", PARTS)
    page = client.get("/m/me/data").content.decode()
    assert "您本人" in page
    assert "下载我的数据" in page
    assert disclosures_of(place.town.users["S2"]) == ()


def test_an_old_session_has_to_sign_in_again_and_nothing_is_handed_over(place: Place) -> None:
    client = fresh(place.client(), place, seconds=-1)
    response = client.post("/m/me/data/copy.json")
    assert (response.status_code, "请重新登录再办理" in response.content.decode()) == (403, True)
    assert disclosures_of(place.town.users["S1"]) == ()


def test_nobody_takes_the_data_of_another_person(place: Place) -> None:
    with pytest.raises(NotPermitted):
        hand_over_own_data(
            actor=place.citizen("S2"), at=place.now, user_id=place.town.users["S1"], purpose="own_copy",
            data_kinds=PARTS,
        )  # fmt: skip
