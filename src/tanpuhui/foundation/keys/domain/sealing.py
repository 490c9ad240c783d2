"""Sealed values (加密字段): SM4 in GCM (GB/T 32907, RFC 8998) and a blind index by HMAC-SM3, with the key given.

A sealed value is: version 0x01 · length of the key id · key id · 12 bytes nonce · ciphertext · 16 bytes tag. Everything
before the nonce, and the context, is authenticated: a value cannot be moved to another column or named to another key.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16


class SealBroken(ValueError):
    """The bytes are not a sealed value of this context: damaged, moved, or never sealed."""


class KeyUnknown(LookupError):
    """The key ring has no key of this name."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A 16-byte SM4 key with its name; its value stays out of every representation."""

    key_id: str
    value: bytes = field(repr=False)


def seal(plaintext: str, *, context: str, key: SealingKey) -> bytes:
    """Encrypt text for one context (a column's lasting name). Two seals of one text differ."""
    name = key.key_id.encode("ascii")
    header = bytes([VERSION, len(name)]) + name
    nonce = secrets.token_bytes(NONCE_BYTES)
    encryptor = Cipher(algorithms.SM4(key.value), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(header + context.encode())
    ciphertext = encryptor.update(plaintext.encode()) + encryptor.finalize()
    return header + nonce + ciphertext + encryptor.tag


def unseal(sealed: bytes, *, context: str, key_named: Callable[[str], SealingKey]) -> str:
    """Return the text of a sealed value; raises SealBroken, or KeyUnknown from the key look-up."""
    key_id = sealed_with(sealed)
    header_end = 2 + len(key_id)
    if len(sealed) < header_end + NONCE_BYTES + TAG_BYTES:
        raise SealBroken("the sealed value is cut short")
    key = key_named(key_id)
    nonce = sealed[header_end : header_end + NONCE_BYTES]
    decryptor = Cipher(algorithms.SM4(key.value), modes.GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(sealed[:header_end] + context.encode())
    try:
        plain = decryptor.update(sealed[header_end + NONCE_BYTES : -TAG_BYTES]) + decryptor.finalize()
    except InvalidTag as error:
        raise SealBroken("the sealed value was changed, or belongs to another context") from error
    return plain.decode()


def sealed_with(sealed: bytes) -> str:
    """Return the name of the key that sealed a value, to find the rows of a retired key."""
    if len(sealed) < 2 or sealed[0] != VERSION or len(sealed) < 2 + sealed[1]:
        raise SealBroken("these bytes are not a sealed value")
    try:
        return sealed[2 : 2 + sealed[1]].decode("ascii")
    except UnicodeDecodeError as error:
        raise SealBroken("these bytes are not a sealed value") from error


def blind_index(value: str, *, purpose: str, key: bytes) -> str:
    """Return 64 hexadecimal digits by which equal values of one purpose are found without opening any.

    The text is put in Unicode form C first; other normalisation (spaces, country code) is the caller's.
    """
    return blind_indexes((value,), purpose=purpose, key=key)[0].hex()


def blind_indexes(values: Iterable[str], *, purpose: str, key: bytes) -> list[bytes]:
    """Return the blind index of each value as 32 bytes, in the order of the values; see blind_index.

    The key is set up once and copied, which takes a third of the time of setting it up for every value.
    """
    derived = hmac.HMAC(key, hashes.SM3())
    derived.update(b"tanpuhui-blind-index/1\x00" + purpose.encode())
    primed = hmac.HMAC(derived.finalize(), hashes.SM3())
    found = []
    for value in values:
        mac = primed.copy()
        mac.update((value if value.isascii() else unicodedata.normalize("NFC", value)).encode())
        found.append(mac.finalize())
    return found
