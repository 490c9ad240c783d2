"""Files are named by their bytes, stored once, registered last, and found damaged when they are."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connections, transaction
from pytest_django.fixtures import Settings

from tanpuhui.foundation.documents import queries
from tanpuhui.foundation.documents.models import Document
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.errors import NotFound

CONTENT = b"a statement of 3,000,000 bytes" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.TANPUHUI_DATA_DIR = tmp_path
    return tmp_path / "documents"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_a_stream_and_its_bytes_are_the_same_document(folder: Path, now: datetime) -> None:
    stored = store_document(
        content=io.BytesIO(CONTENT), name="报告.pdf", media_type="application/pdf", at=now
    )
    again = store_document(content=CONTENT, name="another name.pdf", media_type="text/plain", at=now)
    assert (stored.sha256, stored.size) == (SHA256, len(CONTENT))
    assert again == stored
    assert files(folder) == [folder / SHA256[:2] / SHA256[2:4] / SHA256]
    found = queries.document(SHA256)
    assert (found.name, found.media_type, found.size) == ("报告.pdf", "application/pdf", len(CONTENT))
    with queries.open_document(SHA256) as stream:
        assert stream.read() == CONTENT


@pytest.mark.django_db
def test_an_empty_file_is_a_document_too(now: datetime) -> None:
    stored = store_document(content=b"", name="empty", media_type="text/csv", at=now)
    assert stored.size == 0
    assert queries.document(stored.sha256).size == 0


@pytest.mark.django_db
def test_nothing_is_stored_outside_a_transaction(
    folder: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outside:
        outside.setattr(connections["default"], "in_atomic_block", False)
        with pytest.raises(RuntimeError, match="transaction"):
            store_document(content=CONTENT, name="x", media_type="x/x", at=now)
    assert files(folder) == []


@pytest.mark.django_db
def test_a_rolled_back_transaction_leaves_no_row(now: datetime) -> None:
    with transaction.atomic():
        store_document(content=CONTENT, name="x", media_type="x/x", at=now)
        transaction.set_rollback(True)
    with pytest.raises(NotFound):
        queries.document(SHA256)


class Breaking(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if not piece:
            raise ConnectionResetError
        return piece


@pytest.mark.django_db
def test_a_stream_that_breaks_leaves_nothing(folder: Path, now: datetime) -> None:
    with pytest.raises(ConnectionResetError):
        store_document(content=Breaking(CONTENT), name="x", media_type="x/x", at=now)
    assert files(folder) == []
    assert not Document.objects.exists()


@pytest.mark.django_db
def test_damaged_and_missing_bytes_are_found_and_a_second_storing_heals_them(
    folder: Path, now: datetime
) -> None:
    store_document(content=CONTENT, name="x", media_type="x/x", at=now)
    path = folder / SHA256[:2] / SHA256[2:4] / SHA256
    assert list(queries.breaches()) == []
    path.write_bytes(CONTENT[:-1] + b"!")
    assert [breach.subject for breach in queries.breaches()] == [f"document:{SHA256}"]
    path.unlink()
    assert [breach.detail for breach in queries.breaches()] == ["on disk: None"]
    with pytest.raises(queries.DocumentBytesMissing):
        queries.open_document(SHA256)
    store_document(content=CONTENT, name="x", media_type="x/x", at=now)
    assert list(queries.breaches()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "../../etc/passwd", SHA256.upper(), SHA256])
def test_a_name_that_is_no_known_hash_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        queries.open_document(name)
