"""Sealed values and blind indexes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.foundation.keys.domain import (
    KeyUnknown,
    SealBroken,
    SealingKey,
    blind_index,
    seal,
    sealed_with,
    unseal,
)

KEY = SealingKey("sm4-gcm-1", bytes(range(16)))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def _named(key_id: str) -> SealingKey:
    if key_id != KEY.key_id:
        raise KeyUnknown(key_id)
    return KEY


def test_the_cipher_is_the_sm4_gcm_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    encryptor = Cipher(
        algorithms.SM4(bytes.fromhex("0123456789abcdeffedcba9876543210")),
        modes.GCM(bytes.fromhex("00001234567800000000abcd")),
    ).encryptor()
    encryptor.authenticate_additional_data(bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
    plain = bytes.fromhex("".join(pair * 8 for pair in ("aa", "bb", "cc", "dd", "ee", "ff", "ee", "aa")))
    sealed = encryptor.update(plain) + encryptor.finalize()
    assert sealed.hex().startswith("17f399f08c67d5ee19d0dc9969c4bb7d")
    assert encryptor.tag.hex() == "83de3541e4c2b58177e065a9bf7b62ec"


@given(TEXT)
def test_what_is_sealed_opens_to_the_same_text(text: str) -> None:
    assert (
        unseal(seal(text, context="identity.phone", key=KEY), context="identity.phone", key_named=_named)
        == text
    )


def test_two_seals_of_one_text_differ() -> None:
    assert seal("13800000000", context="c", key=KEY) != seal("13800000000", context="c", key=KEY)


def test_the_text_does_not_stand_in_the_sealed_bytes() -> None:
    assert b"13800000000" not in seal("13800000000", context="c", key=KEY)


def test_a_change_of_any_byte_is_refused() -> None:
    sealed = seal("13800000000", context="c", key=KEY)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises((SealBroken, KeyUnknown)):
            unseal(bytes(changed), context="c", key_named=_named)
    for end in range(len(sealed)):
        with pytest.raises((SealBroken, KeyUnknown)):
            unseal(sealed[:end], context="c", key_named=_named)


def test_a_value_moved_to_another_column_is_refused() -> None:
    with pytest.raises(SealBroken, match="another context"):
        unseal(seal("x", context="identity.phone", key=KEY), context="identity.name", key_named=_named)


def test_the_key_of_a_value_can_be_read_without_opening_it() -> None:
    assert sealed_with(seal("x", context="c", key=KEY)) == "sm4-gcm-1"


def test_blind_indexes_find_equal_values_of_one_purpose_only() -> None:
    key = bytes(32)
    assert blind_index("13800000000", purpose="phone", key=key) == blind_index(
        "13800000000", purpose="phone", key=key
    )
    assert blind_index("13800000000", purpose="phone", key=key) != blind_index(
        "13800000000", purpose="id", key=key
    )
    assert blind_index("13800000000", purpose="phone", key=key) != blind_index(
        "13800000001", purpose="phone", key=key
    )
    assert blind_index("13800000000", purpose="phone", key=key) != blind_index(
        "13800000000", purpose="phone", key=b"1" * 32
    )
    assert blind_index("e\u0301", purpose="name", key=key) == blind_index("\u00e9", purpose="name", key=key)
