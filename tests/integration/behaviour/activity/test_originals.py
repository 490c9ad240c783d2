"""The file that a partner sent lies encrypted under its own key; after its time the key is gone and the hash stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.behaviour.activity.sources import rule
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.behaviour.activity.operations import destroy_originals
from tanpuhui.books.transparency.models import Leaf
from tanpuhui.foundation.documents import queries as documents
from tanpuhui.foundation.documents.operations import remove_left_bytes
from tanpuhui.foundation.documents.queries import DocumentDestroyed, DocumentSealBroken
from tanpuhui.foundation.kernel.actors import SYSTEM

pytestmark = pytest.mark.django_db
CONTENT = csv(bus("VERY-DISTINCTIVE-RECORD"))


@pytest.fixture
def folder(settings: object, tmp_path: Path) -> Path:
    settings.TANPUHUI_DATA_DIR = tmp_path  # type: ignore[attr-defined]
    return tmp_path


@pytest.fixture
def town(db: None, folder: Path) -> Town:
    return build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in (folder / "documents").rglob("*") if one.is_file())


def test_the_original_is_encrypted_and_reads_as_it_was_sent(town: Town, folder: Path, now: datetime) -> None:
    assert town.post(CONTENT, at=now).counted == 1
    assert b"VERY-DISTINCTIVE-RECORD" not in bytes_on_disk(folder)
    with documents.open_document(Batch.objects.get().file_sha256) as stream:
        assert stream.read() == CONTENT
    assert list(documents.breaches()) == []


def test_while_no_rule_says_how_long_nothing_is_destroyed(town: Town, now: datetime) -> None:
    town.post(CONTENT, at=now)
    assert destroy_originals(actor=SYSTEM, at=now + timedelta(days=10_000)).originals == 0


def test_after_its_time_the_key_is_gone_the_hash_stays_and_a_resend_is_still_a_repeat(
    town: Town, folder: Path, now: datetime, django_capture_on_commit_callbacks: object
) -> None:
    rule("intake.original_retention_days", "30")
    town.post(CONTENT, at=now)
    sha256 = Batch.objects.get().file_sha256
    assert destroy_originals(actor=SYSTEM, at=now + timedelta(days=29)).originals == 0
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert destroy_originals(actor=SYSTEM, at=now + timedelta(days=31)).originals == 1
    assert bytes_on_disk(folder) == b""
    with pytest.raises(DocumentDestroyed):
        documents.open_document(sha256)
    leaf = Leaf.objects.filter(kind="erasure").get()
    assert sha256.encode() in bytes(leaf.leaf_bytes)
    assert destroy_originals(actor=SYSTEM, at=now + timedelta(days=32)).originals == 0
    assert town.post(CONTENT, at=now + timedelta(days=32), key="k2").counted == 1  # the same batch, as it was
    assert [*queries.breaches(), *documents.breaches()] == []


def test_bytes_that_a_killed_process_left_are_found_and_removed(
    town: Town, folder: Path, now: datetime
) -> None:
    rule("intake.original_retention_days", "30")
    town.post(CONTENT, at=now)
    destroy_originals(
        actor=SYSTEM, at=now + timedelta(days=31)
    )  # the bytes go at the commit, which never comes here
    # The run itself sweeps what earlier ones left, and this one's bytes lie there until its commit.
    if bytes_on_disk(folder):
        assert [one.invariant for one in documents.breaches()] == ["destroyed_document_has_no_bytes"]
        assert remove_left_bytes() == 1
    assert list(documents.breaches()) == []


def test_changed_bytes_are_a_breach_and_are_not_read(town: Town, folder: Path, now: datetime) -> None:
    town.post(CONTENT, at=now)
    (path,) = (one for one in (folder / "documents").rglob("*.sealed"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with (
        pytest.raises(DocumentSealBroken),
        documents.open_document(Batch.objects.get().file_sha256) as stream,
    ):
        stream.read()
    assert [one.invariant for one in documents.breaches()] == ["document_bytes_match_their_name"]
