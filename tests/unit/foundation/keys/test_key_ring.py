"""The key ring in a folder: made once, private, rotated without losing what the old keys made."""

from __future__ import annotations

import json
import multiprocessing
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tanpuhui.foundation.keys import domain
from tanpuhui.foundation.keys.adapters.key_files import (
    HMAC_SM3,
    SM4_GCM,
    KeyRingUnavailable,
    open_ring,
    rotate,
)
from tanpuhui.foundation.keys.domain import ED25519, SIGNATURE_ALGORITHMS, SM2_SM3, KeyUnknown

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_the_first_use_makes_keys_that_only_their_owner_can_read(tmp_path: Path) -> None:
    ring = open_ring(tmp_path / "keys", create=True)
    assert [signer.algorithm for signer in ring.signers()] == list(SIGNATURE_ALGORITHMS)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_second_use_finds_the_same_keys(tmp_path: Path) -> None:
    first = open_ring(tmp_path, create=True)
    second = open_ring(tmp_path, create=True)
    assert first.published() == second.published()
    assert first.sealing_key() == second.sealing_key()
    assert first.index_key() == second.index_key()


def test_two_processes_that_come_first_together_share_one_ring(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        found = pool.map(_key_names, [str(tmp_path / "keys")] * 8)
    assert len(set(found)) == 1


def _key_names(folder: str) -> tuple[str, ...]:
    return tuple(key.key_id for key in open_ring(Path(folder), create=True).published())


def test_without_leave_to_create_a_missing_ring_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRingUnavailable):
        open_ring(tmp_path / "keys", create=False)
    assert not (tmp_path / "keys").exists()


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_ring(tmp_path, create=True)
    next(tmp_path.glob("sm4-*.key")).chmod(0o644)
    with pytest.raises(KeyRingUnavailable, match="others can read it"):
        open_ring(tmp_path, create=False)


def test_a_private_key_that_does_not_belong_to_the_published_one_is_refused(tmp_path: Path) -> None:
    open_ring(tmp_path, create=True)
    path = next(tmp_path.glob("ed25519-*.key"))
    path.write_text("11" * 32)
    with pytest.raises(KeyRingUnavailable, match="not the key that was published"):
        open_ring(tmp_path, create=False)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": "other", "keys": []}'])
def test_a_damaged_ring_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    open_ring(tmp_path, create=True)
    (tmp_path / "ring.json").write_text(damage)
    with pytest.raises(KeyRingUnavailable):
        open_ring(tmp_path, create=True)


@pytest.mark.parametrize("algorithm", [ED25519, SM2_SM3])
def test_a_rotated_signing_key_stays_published_for_its_time(tmp_path: Path, algorithm: str) -> None:
    before = {key.key_id: key for key in open_ring(tmp_path, create=True).published()}
    fresh = rotate(tmp_path, algorithm=algorithm, at=AT)
    ring = open_ring(tmp_path, create=False)
    after = {key.key_id: key for key in ring.published()}
    old = next(key_id for key_id, key in before.items() if key.algorithm == algorithm)
    assert {signer.key_id for signer in ring.signers()} == set(after) - {old}
    assert after[old].covers("2026-11-20T01:59:59.999999Z")
    assert not after[old].covers("2026-11-20T02:00:00Z")
    assert after[fresh.key_id].covers("2026-11-20T02:00:00.000000Z")
    assert not after[fresh.key_id].covers("2026-11-20T01:59:59Z")


def test_the_private_part_of_a_retired_signing_key_may_be_destroyed(tmp_path: Path) -> None:
    ring = open_ring(tmp_path, create=True)
    rotate(tmp_path, algorithm=ED25519, at=AT)
    (tmp_path / f"{ring.signers()[0].key_id}.key").unlink()
    assert len(open_ring(tmp_path, create=False).published()) == 3


def test_a_rotated_sealing_key_still_opens_what_it_sealed(tmp_path: Path) -> None:
    old = open_ring(tmp_path, create=True)
    sealed = domain.seal("张三", context="c", key=old.sealing_key())
    rotate(tmp_path, algorithm=SM4_GCM, at=AT)
    ring = open_ring(tmp_path, create=False)
    assert ring.sealing_key().key_id != domain.sealed_with(sealed)
    assert domain.unseal(sealed, context="c", key_named=ring.sealing_key_named) == "张三"


def test_the_blind_index_key_is_not_rotated(tmp_path: Path) -> None:
    open_ring(tmp_path, create=True)
    with pytest.raises(KeyRingUnavailable, match="equal values would part"):
        rotate(tmp_path, algorithm=HMAC_SM3, at=AT)


def test_a_sealing_key_that_the_ring_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUnknown, match="sm4-gcm-absent"):
        open_ring(tmp_path, create=True).sealing_key_named("sm4-gcm-absent")


def test_the_ring_shows_no_private_value(tmp_path: Path) -> None:
    ring = open_ring(tmp_path, create=True)
    shown = repr(ring) + repr(ring.sealing_key()) + repr(ring.signers())
    for path in tmp_path.glob("*.key"):
        value = path.read_text().strip()
        assert value not in shown
        assert repr(bytes.fromhex(value)) not in shown
    assert "private" not in json.dumps([key.as_dict() for key in ring.published()])
