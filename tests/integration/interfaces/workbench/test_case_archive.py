"""The archive package of a closed case: everything in it, the same bytes each time, and anybody finds what was changed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_case_file import admission, send
from tests.integration.interfaces.workbench.test_chain import post

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.commands import verify_archive

__all__ = ["admission"]


def closed(desk: Desk, case_id: int) -> None:
    """Let a case get attachments in two versions, a remark with its answer, an urging and two decisions, and end."""
    owner, maker = desk.client("owner"), desk.client("maker")
    send(owner, case_id, b"%PDF one")
    send(owner, case_id, b"%PDF two")
    send(owner, case_id, b"%PDF other", name='a/b:"c".pdf', kind="other")
    post(owner, f"/w/cases/{case_id}/urge", text="请尽快")
    post(maker, f"/w/cases/{case_id}/remarks", item="第 3 条", text="单位不一致")
    (asked,) = workflow.case_file(case_id).remarks
    post(owner, f"/w/cases/{case_id}/remarks", item="x", text="已改", answers=asked.remark_id, seen_answer=0)
    post(maker, f"/w/cases/{case_id}", decision="return", opinion="退回", seen_step=0)
    post(owner, f"/w/cases/{case_id}", decision="withdraw", opinion="不再申请", seen_step=1)


def package_of(desk: Desk, case_id: int, who: str = "owner") -> bytes:
    answer = post(desk.client(who), f"/w/cases/{case_id}/archive")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_everything_is_in_the_package_and_it_is_the_same_each_time(desk: Desk, admission: int) -> None:
    closed(desk, admission)
    content = package_of(desk, admission)
    assert package_of(desk, admission, "maker") == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        index = json.loads(archive.read("index.json"))
        page = archive.read("index.html").decode()
        assert archive.read("attachments/001-sample_report-v1-样本报告.pdf") == b"%PDF one"
        assert archive.read("attachments/002-sample_report-v2-样本报告.pdf") == b"%PDF two"
    assert "attachments/003-other-v1-b__c_.pdf" in names or "attachments/003-other-v1-a_b__c_.pdf" in names
    assert names[-1] == "SHA256SUMS"
    assert [one["signed"]["outcome"] for one in index["decisions"]] == ["return", "withdraw"]
    assert [one["text"] for one in index["remarks"][0]["answers"]] == ["已改"]
    assert [one["kind"] for one in index["acts"]] == ["urge"]
    for said in ("退回", "不再申请", "单位不一致", "请尽快"):
        assert said in page


def test_it_is_for_closed_cases_and_for_those_who_see_them_and_leaves_a_line_in_the_audit(
    desk: Desk, admission: int
) -> None:
    refused = post(desk.client("owner"), f"/w/cases/{admission}/archive")
    assert refused.status_code == 409
    assert "CASE_RUNS" in refused.content.decode()
    closed(desk, admission)
    assert post(desk.client("other_owner"), f"/w/cases/{admission}/archive").status_code == 404
    before = AuditRecord.objects.filter(operation="workflow.take_archive").count()
    package_of(desk, admission)
    (record,) = AuditRecord.objects.filter(operation="workflow.take_archive")[before:]
    assert record.actor_id == str(desk.users["owner"].pk)


def checked(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    path = tmp_path / "case.zip"
    path.write_bytes(content)
    return verify_archive.main([str(path)]), capsys.readouterr().out


def rewritten(content: bytes, changes: dict[str, bytes | None]) -> bytes:
    """Return the package with some files changed, left out (None) or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in [*source.namelist(), *(name for name in changes if name not in source.namelist())]:
            given = changes.get(name, b"") if name in changes else source.read(name)
            if given is not None:
                target.writestr(name, given)
    return out.getvalue()


def test_anybody_checks_it_offline_and_finds_every_change(
    desk: Desk, admission: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed(desk, admission)
    content = package_of(desk, admission)
    status, said = checked(tmp_path, content, capsys)
    assert (status, "完整" in said) == (0, True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        index = json.loads(archive.read("index.json"))
        sums = archive.read("SHA256SUMS").decode()
    paper = index["attachments"][0]["path"]
    forged = json.dumps(index | {"decisions": index["decisions"][:1]}).encode()
    changes: list[dict[str, bytes | None]] = [
        {paper: b"%PDF forged"},
        {paper: None},
        {"attachments/999-extra.pdf": b"x"},
        {"index.json": forged},
        {"index.html": b"x"},
        {"SHA256SUMS": b""},
        {"SHA256SUMS": None},
        {
            paper: None,
            "SHA256SUMS": "\n".join(line for line in sums.splitlines() if paper not in line).encode() + b"\n",
        },
    ]
    for change in changes:
        status, said = checked(tmp_path, rewritten(content, change), capsys)
        assert (status, "不一致" in said) == (1, True), change
    assert checked(tmp_path, b"no zip", capsys)[0] == 2


def test_a_forged_decision_breaks_the_chain_even_with_new_hashes(
    desk: Desk, admission: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed(desk, admission)
    content = package_of(desk, admission)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        index = json.loads(archive.read("index.json"))
        hashes = dict(
            reversed(line.split("  ", 1)) for line in archive.read("SHA256SUMS").decode().splitlines()
        )
    index["decisions"][0]["signed"]["opinion"] = "同意"
    forged = json.dumps(index).encode()
    hashes["index.json"] = hashlib.sha256(forged).hexdigest()
    sums = workflow.sums_text(hashes)
    status, said = checked(tmp_path, rewritten(content, {"index.json": forged, "SHA256SUMS": sums}), capsys)
    assert status == 1
    assert "决定的签名不符：第 1" in said
