"""The keys as the platform finds them, and a sealed column in a real table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from tanpuhui.foundation.keys import queries
from tanpuhui.foundation.keys.adapters.key_files import open_ring, rotate
from tanpuhui.foundation.keys.domain import parse_key_set
from tanpuhui.foundation.keys.fields import EncryptedTextField
from tanpuhui.foundation.keys.queries import KeyRingUnavailable, SealBroken

# Isolated, so that a model of this test is not one of the platform's in any other test.
with isolate_apps("tanpuhui.foundation.keys"):

    class SealedRow(models.Model):
        phone = EncryptedTextField(context="test.phone", null=True)
        other = EncryptedTextField(context="test.other", null=True)

        class Meta:
            app_label = "keys"
            db_table = "keys_sealed_row"


@pytest.fixture
def table(db: None) -> None:
    """Make the table inside the test's transaction, which takes it away again."""
    with connection.schema_editor() as editor:
        editor.create_model(SealedRow)


def _stored() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute("select phone, other from keys_sealed_row")
        return tuple(cursor.fetchone())


def test_a_sealed_column_holds_bytes_and_gives_text(table: None) -> None:
    SealedRow.objects.create(phone="13800000000")
    phone, other = _stored()
    assert b"13800000000" not in bytes(phone)
    assert other is None
    row = SealedRow.objects.get()
    assert (row.phone, row.other) == ("13800000000", None)
    assert "13800000000" not in repr(row)


def test_a_value_copied_into_another_column_does_not_open(table: None) -> None:
    SealedRow.objects.create(phone="13800000000")
    with connection.cursor() as cursor:
        cursor.execute("update keys_sealed_row set other = phone")
    with pytest.raises(SealBroken):
        SealedRow.objects.get()


def test_a_sealed_column_cannot_be_searched_but_for_null(table: None) -> None:
    SealedRow.objects.create(phone="13800000000")
    assert SealedRow.objects.filter(other__isnull=True).count() == 1
    with pytest.raises(FieldError, match="blind index"):
        SealedRow.objects.filter(phone="13800000000").count()


def test_what_is_not_text_is_refused(table: None) -> None:
    with pytest.raises(TypeError, match="text expected"):
        SealedRow.objects.create(phone=13800000000)


def test_values_of_a_retired_key_still_open(table: None, tmp_path: Path) -> None:
    SealedRow.objects.create(phone="13800000000")
    rotate(tmp_path / "keys", algorithm="sm4-gcm", at=datetime(2026, 11, 20, tzinfo=UTC))
    SealedRow.objects.create(phone="13900000000")
    assert set(SealedRow.objects.values_list("phone", flat=True)) == {"13800000000", "13900000000"}


def test_the_context_stands_in_migrations() -> None:
    text, _ = MigrationWriter.serialize(EncryptedTextField(context="test.phone"))
    assert "context='test.phone'" in text


def test_a_sealed_column_is_not_serialised() -> None:
    field = SealedRow._meta.get_field("phone")
    with pytest.raises(TypeError, match="not serialised"):
        field.value_to_string(SealedRow(phone="13800000000"))


def test_the_published_key_set_is_what_the_verifier_reads() -> None:
    keys = parse_key_set(queries.published_key_set())
    assert {key.algorithm for key in keys.values()} == {"ed25519", "sm2-sm3"}
    assert [key.as_dict() for key in keys.values()] == queries.published_keys()
    assert set(json.loads(queries.published_key_set())) == {"format", "keys"}


def test_a_blind_index_is_the_same_for_every_process_of_one_ring(tmp_path: Path) -> None:
    first = queries.blind_index("13800000000", purpose="phone")
    assert first == queries.blind_index("13800000000", purpose="phone")
    assert open_ring(tmp_path / "keys", create=False).index_key().hex() not in first


def test_a_ring_named_by_the_environment_must_exist_and_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("TANPUHUI_KEY_RING", str(elsewhere))
    with pytest.raises(KeyRingUnavailable):
        queries.signers()
    assert not elsewhere.exists()
    made = open_ring(elsewhere, create=True)
    assert [one.key_id for one in queries.signers()] == [one.key_id for one in made.signers()]
    assert not (tmp_path / "keys").exists()
