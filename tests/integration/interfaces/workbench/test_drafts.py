"""Writing a methodology at the desk: begun three ways, checked while typing, tried, compared, proposed; seen by its authors only."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.integration.behaviour.activity.town import METHODOLOGIES
from tests.integration.interfaces.portal.test_pages import text_of
from tests.integration.interfaces.workbench.conftest import Desk

from tanpuhui.foundation.workflow.queries import case
from tanpuhui.science.methodology import queries

BUS = METHODOLOGIES / "a01-bus" / "1.0"


def begin(client: Client, organisation_id: int, **given: Any) -> int:
    """Begin a draft and return its number."""
    form = {"organisation": organisation_id, "source": "blank", "idempotency_key": str(uuid.uuid4()), **given}
    response = client.post("/w/drafts/new", form)
    assert response.status_code == 303, text_of(response)
    return int(response["Location"].rsplit("/", 1)[1])


def revised(desk: Desk, client: Client) -> int:
    """Begin a draft from the filed bus methodology."""
    filed = next(view for view in queries.library() if view.code == "A01" and view.state == "filed")
    return begin(client, desk.cast.owner_id, source="version", version=filed.id)


def save(client: Client, draft_id: int, path: str, text: str, *, revision: int, key: str = "save") -> Any:
    form = {"file": path, "text": text, "revision": revision, "idempotency_key": f"{key}-{revision}"}
    return client.post(f"/w/drafts/{draft_id}", form)


def stored(draft_id: int, path: str = "methodology.yaml") -> str:
    return queries.draft_files(draft_id).files[path].decode()


def test_an_applicant_begins_from_nothing_from_a_version_and_from_a_zip(desk: Desk) -> None:
    client = desk.client("owner")
    assert "还没有草稿" in text_of(client.get("/w/drafts"))
    blank = begin(client, desk.cast.owner_id)
    assert "没有错误" in text_of(client.get(f"/w/drafts/{blank}"))
    from_version = revised(desk, client)
    assert queries.draft(from_version).based_on_id is not None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as container:
        for path in BUS.rglob("*"):
            if path.is_file():
                container.write(path, f"mine/{path.relative_to(BUS)}")
    upload = SimpleUploadedFile("mine.zip", buffer.getvalue())
    from_zip = begin(client, desk.cast.owner_id, source="upload", file=upload)
    assert stored(from_zip) == (BUS / "methodology.yaml").read_text()
    refused = client.post(
        "/w/drafts/new",
        {"organisation": desk.cast.owner_id, "source": "upload", "file": SimpleUploadedFile("x.zip", b"no"), "idempotency_key": "bad"},
    )  # fmt: skip
    assert "这不是可以打开的 ZIP 文件" in text_of(refused)


def test_the_check_points_at_line_and_column_and_saves_nothing(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    text = stored(draft_id).replace("里程 * 公交因子", "里程 * 公交因", 1)
    line = text.splitlines().index("        formula: 里程 * 公交因") + 1
    response = client.post(f"/w/drafts/{draft_id}/check", {"file": "methodology.yaml", "text": text})
    page = response.content.decode()
    assert f'data-line="{line}" data-column="23"' in page
    assert "没有名为“公交因”的字段" in page
    assert "^" in page
    assert queries.draft(draft_id).revision == 1
    english = desk.client("owner", language="en").post(
        f"/w/drafts/{draft_id}/check", {"file": "methodology.yaml", "text": text}
    )
    assert "No field, parameter or earlier result is called" in english.content.decode()


def test_a_sound_text_shows_each_formula_with_unit_digits_and_what_is_unset(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    page = client.get(f"/w/drafts/{draft_id}").content.decode()
    assert page.count('<math display="block">') == 6
    assert "0 – 31.2，6 位小数" in page
    assert re.search(r"待定 缺省里程", page)
    assert "6/6 个与引擎一致" in text_of(client.get(f"/w/drafts/{draft_id}"))


def test_the_second_saver_sees_what_happened_and_keeps_their_text(desk: Desk) -> None:
    first, second = desk.client("owner"), desk.client("owner")
    draft_id = begin(first, desk.cast.owner_id)
    text = stored(draft_id)
    assert save(first, draft_id, "methodology.yaml", text + "# one\n", revision=1).status_code == 303
    response = save(second, draft_id, "methodology.yaml", text + "# two\n", revision=1, key="second")
    assert response.status_code == 409
    page = response.content.decode()
    assert "已被另存为第 2 稿" in page
    assert "# two" in page
    assert re.search(r"<del>-# one</del>", page)
    assert re.search(r"<ins>\+# two</ins>", page)
    assert stored(draft_id).endswith("# one\n")
    again = save(second, draft_id, "methodology.yaml", text + "# two\n", revision=2, key="again")
    assert again.status_code == 303
    assert stored(draft_id).endswith("# two\n")


def test_files_are_added_and_taken_away(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = begin(client, desk.cast.owner_id)
    form = {"path": "factors/more.yaml", "revision": 1, "idempotency_key": "add"}
    assert client.post(f"/w/drafts/{draft_id}/file", form).status_code == 303
    assert "factors/more.yaml" in queries.draft_files(draft_id).files
    form = {"path": "factors/more.yaml", "act": "remove", "revision": 2, "idempotency_key": "remove"}
    client.post(f"/w/drafts/{draft_id}/file", form)
    assert "factors/more.yaml" not in queries.draft_files(draft_id).files
    form = {"path": "methodology.yaml", "act": "remove", "revision": 3, "idempotency_key": "main"}
    assert client.post(f"/w/drafts/{draft_id}/file", form).status_code == 422
    form = {"path": "../up.yaml", "revision": 3, "idempotency_key": "up"}
    assert client.post(f"/w/drafts/{draft_id}/file", form).status_code == 409


ROWS = "distance_km,else\n8.4,1\n0,\nx,\n,\n"


def test_a_trial_gives_grams_or_the_reason_and_explains_a_row(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    text = text_of(client.post(f"/w/drafts/{draft_id}/trial", {"rows": ROWS, "row": "2"}))
    assert "4 行中 1 行计入" in text
    assert "436 g" in text
    assert "里程为 0，没有发生出行。" in text
    assert "“里程”应为一个数，而这里是“x”。" in text
    assert "参数“缺省里程”尚未确定取值" in text
    assert "没有采用的列：else" in text
    assert "第 2 行怎样得出" in text
    assert "DB11/T 3043" in text
    upload = SimpleUploadedFile("rows.ndjson", b'{"distance_km": 10}\n')
    assert "520 g" in text_of(client.post(f"/w/drafts/{draft_id}/trial", {"rows": "", "file": upload}))
    assert queries.draft(draft_id).revision == 1


def test_a_trial_that_is_too_big_is_refused_in_a_sentence(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    response = client.post(f"/w/drafts/{draft_id}/trial", {"rows": "distance_km\n" + "1\n" * 500})
    assert "试算一次最多 200 行" in text_of(response)
    upload = SimpleUploadedFile("rows.csv", b"x" * 200_000)
    response = client.post(f"/w/drafts/{draft_id}/trial", {"rows": "", "file": upload})
    assert response.status_code == 422


def test_a_trial_row_is_kept_as_a_worked_case_for_the_author_to_confirm(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    form = {"rows": ROWS, "row": "2", "revision": 1, "idempotency_key": "keep"}
    response = client.post(f"/w/drafts/{draft_id}/case", form)
    assert response.status_code == 303
    assert response["Location"].endswith("?file=cases.yaml")
    assert "待作者确认" in stored(draft_id, "cases.yaml")
    assert "7/7 个与引擎一致" in text_of(client.get(response["Location"]))
    unreadable = {"rows": ROWS, "row": "4", "revision": 2, "idempotency_key": "keep-x"}
    assert client.post(f"/w/drafts/{draft_id}/case", unreadable).status_code == 422


def test_a_draft_is_compared_with_the_version_before(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    assert "没有差别" in text_of(client.get(f"/w/drafts/{draft_id}/difference"))
    path = "factors/transport.yaml"
    save(client, draft_id, path, stored(draft_id, path).replace("0.052", "0.051"), revision=1)
    text = text_of(client.get(f"/w/drafts/{draft_id}/difference"))
    assert "有 1 处改动可能改变结果" in text
    assert "0.051" in text


def test_a_draft_is_proposed_and_becomes_a_version_of_its_organisation(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = revised(desk, client)
    assert "1.0 已经备案" in text_of(client.get(f"/w/drafts/{draft_id}/propose"))
    save(client, draft_id, "methodology.yaml", stored(draft_id).replace('version: "1.0"', 'version: "1.1"', 1), revision=1)  # fmt: skip
    assert "提出备案 A01 1.1" in text_of(client.get(f"/w/drafts/{draft_id}/propose"))
    form = {"revision": 2, "valid_from": "", "idempotency_key": "propose"}
    response = client.post(f"/w/drafts/{draft_id}/propose", form)
    assert response.status_code == 303
    view = queries.draft(draft_id)
    assert (view.state, queries.version(view.version_id or 0).state) == ("proposed", "proposed")
    assert case(int(response["Location"].rsplit("/", 1)[1])).organisation_id == desk.cast.owner_id
    assert client.get(response["Location"]).status_code == 200
    assert "readonly" in client.get(f"/w/drafts/{draft_id}").content.decode()
    late = save(client, draft_id, "methodology.yaml", "x", revision=2, key="late")
    assert "不能再改" in text_of(late)


def test_what_keeps_a_draft_from_being_proposed_is_said(desk: Desk) -> None:
    client = desk.client("owner")
    draft_id = begin(client, desk.cast.owner_id)
    assert "缺少取值：减排因子" in text_of(client.get(f"/w/drafts/{draft_id}/propose"))
    save(client, draft_id, "methodology.yaml", "schema: half", revision=1)
    assert "methodology.yaml 第 1 行" in text_of(client.get(f"/w/drafts/{draft_id}/propose"))
    assert "改好以后才能试算" in text_of(client.get(f"/w/drafts/{draft_id}/trial"))
    assert "改好以后才能比较" in text_of(client.get(f"/w/drafts/{draft_id}/difference"))


def test_a_draft_is_out_of_sight_for_every_other_organisation(desk: Desk) -> None:
    draft_id = begin(desk.client("owner"), desk.cast.owner_id)
    for name, status in (("other_owner", 404), ("maker", 404), ("verifier", 403), ("regulator", 403)):
        client = desk.client(name)
        for page in ("", "/trial", "/difference", "/propose"):
            assert client.get(f"/w/drafts/{draft_id}{page}").status_code == status
        form = {"file": "methodology.yaml", "text": "x", "revision": 1, "idempotency_key": "x"}
        for act in ("", "/check", "/file", "/case", "/close", "/propose", "/trial"):
            assert client.post(f"/w/drafts/{draft_id}{act}", form).status_code == status
    assert queries.draft(draft_id).revision == 1
    response = desk.client("other_owner").post(
        "/w/drafts/new", {"organisation": desk.cast.owner_id, "source": "blank", "idempotency_key": "theirs"}
    )
    assert response.status_code == 422


@pytest.mark.parametrize("page", ["", "/trial", "/difference", "/propose"])
def test_the_pages_are_english_throughout(page: str, desk: Desk) -> None:
    draft_id = revised(desk, desk.client("owner"))
    response = desk.client("owner", language="en").get(f"/w/drafts/{draft_id}{page}")
    body = re.sub(r"<textarea.*?</textarea>", "", response.content.decode(), flags=re.DOTALL)
    main = body.split('<main id="main"')[1].split("</main>")[0]
    assert re.findall(r"[\u4e00-\u9fff]+", re.sub(r"<[^>]+>", " ", main)) == []
