"""The offline check of a certificate: it accepts one thing, and refuses every change of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.books.transparency.samples import AT, PAYLOAD_ARGUMENTS, SIGNERS, key_set, sample, sign

from tanpuhui.books.transparency.domain.canonical import instant, parse
from tanpuhui.books.transparency.domain.certificates import Verdict, certificate_payload, verify_certificate
from tanpuhui.books.transparency.domain.heads import Head, Malformed
from tanpuhui.foundation.keys.adapters.software_signers import Ed25519Signer, Sm2Signer

Path = tuple[str | int, ...]


def _verify(document: object) -> Verdict:
    return verify_certificate(json.dumps(document).encode(), sample().keys)


def _document() -> dict[str, Any]:
    return json.loads(sample().bundle)


def _codes(verdict: Verdict) -> dict[str, bool]:
    return {check.code: check.ok for check in verdict.checks}


def _scalars(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _scalars(member, (*path, name))
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from _scalars(member, (*path, position))
    else:
        yield path, value


def _containers(value: object, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any] | list[Any]]]:
    if isinstance(value, dict):
        yield path, value
        for name, member in value.items():
            yield from _containers(member, (*path, name))
    elif isinstance(value, list):
        yield path, value
        for position, member in enumerate(value):
            yield from _containers(member, (*path, position))


def _at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def _changes(value: object) -> list[object]:
    """Return other values for a scalar: near ones, ones of another type, and empty ones."""
    if isinstance(value, int):
        return [
            value + 1,
            value - 1,
            -value - 1,
            str(value),
            float(value),
            value + 0.5,
            True,
            None,
            [value],
            2**53,
        ]
    assert isinstance(value, str)
    flipped = ("0" if value[-1] != "0" else "1") if value[-1].isalnum() else "x"
    swapped = value.upper() if value.upper() != value else value.lower()
    others = [
        value[:-1] + flipped,
        value + " ",
        " " + value,
        value[1:],
        "",
        value + "\u0000",
        value + "\u200b",
        "\ud800",
    ]
    if swapped != value:
        others.append(swapped)
    if value.isdigit():
        others.append(int(value))
    return [*others, None, True, 0, [value], {value: value}]


def test_the_untouched_certificate_is_valid_as_of_its_head() -> None:
    verdict = verify_certificate(sample().bundle, sample().keys)
    assert verdict.valid
    assert verdict.usable
    assert (verdict.as_of_head, verdict.size) == (12, 7)
    assert _codes(verdict) == {"FORMAT": True, "INCLUDED": True, "SIGNED_ED25519": True, "SIGNED_SM2": True}
    assert all(check.zh and check.en for check in verdict.checks)
    assert verdict.certificate is not None
    assert verdict.certificate["quantity_t"] == 30


@pytest.mark.parametrize(("size", "index"), [(1, 0), (2, 1), (8, 7), (9, 8), (33, 20)])
def test_it_is_valid_wherever_it_stands_in_the_log(size: int, index: int) -> None:
    one = sample(size, index)
    assert verify_certificate(one.bundle, one.keys).valid


def test_every_changed_value_is_refused() -> None:
    tried = 0
    for path, value in _scalars(_document()):
        for other in _changes(value):
            changed = _document()
            _at(changed, path[:-1])[path[-1]] = other
            assert not _verify(changed).valid, (path, other)
            tried += 1
    assert tried > 400


def test_every_missing_added_or_exchanged_member_is_refused() -> None:
    original = _document()
    for path, container in _containers(original):
        for key in list(container) if isinstance(container, dict) else range(len(container)):
            missing = copy.deepcopy(original)
            del _at(missing, path)[key]
            assert not _verify(missing).valid, (path, key)
            emptied = copy.deepcopy(original)
            _at(emptied, path)[key] = type(container)()
            assert not _verify(emptied).valid, (path, key)
        added = copy.deepcopy(original)
        here = _at(added, path)
        if isinstance(here, dict):
            here["extra"] = None
            assert not _verify(added).valid, path
            for first in container:
                for second in container:
                    exchanged = copy.deepcopy(original)
                    pair = _at(exchanged, path)
                    pair[first], pair[second] = pair[second], pair[first]
                    assert _verify(exchanged).valid == (exchanged == original), (path, first, second)
        else:
            here.append(copy.deepcopy(here[0]))
            assert not _verify(added).valid, path
            turned = copy.deepcopy(original)
            _at(turned, path).reverse()
            assert not _verify(turned).valid, path


def test_every_member_written_twice_is_refused() -> None:
    text = json.dumps(_document(), separators=(",", ":"))
    names = {step for path, _ in _scalars(_document()) for step in path if isinstance(step, str)}
    for name in names:
        for decoy in ("null", '"x"', "1"):
            twice = text.replace(f'"{name}":', f'"{name}":{decoy},"{name}":', 1)
            assert twice != text
            verdict = verify_certificate(twice.encode(), sample().keys)
            assert not verdict.valid, name
            assert not verdict.usable, name


def test_a_changed_byte_is_refused_unless_the_text_means_the_same() -> None:
    bundle = sample().bundle
    for position in range(0, len(bundle), 3):
        for mask in (0x01, 0x20):
            changed = bytearray(bundle)
            changed[position] ^= mask
            assert not verify_certificate(bytes(changed), sample().keys).valid, position


def test_a_file_cut_short_is_unusable() -> None:
    for end in range(0, len(sample().bundle), 97):
        verdict = verify_certificate(sample().bundle[:end], sample().keys)
        assert not verdict.valid
        assert not verdict.usable


def test_order_and_white_space_carry_no_meaning() -> None:
    turned = json.dumps(_backwards(_document()), indent=4, ensure_ascii=True).encode()
    assert turned != sample().bundle
    assert verify_certificate(turned, sample().keys).valid


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _backwards(value[name]) for name in reversed(list(value))}
    return value


def test_a_certificate_that_no_head_covers_says_proof_pending() -> None:
    verdict = verify_certificate(sample().pending, sample().keys)
    assert not verdict.valid
    assert verdict.usable
    assert verdict.as_of_head is None
    assert _codes(verdict) == {"FORMAT": True, "PROOF_PENDING": False}


def test_a_head_that_somebody_else_signed_is_refused() -> None:
    forger = (
        Ed25519Signer(key_id="ed25519-sample", private_key=b"\x33" * 32),
        Sm2Signer(key_id="sm2-sm3-sample", private_key=b"\x44" * 32),
    )
    document = _document()
    head = _head(document)
    for algorithm, signature in sign(head, forger).items():
        document["proof"]["signatures"][algorithm]["signature"] = signature.signature
    assert _codes(_verify(document)) == {
        "FORMAT": True,
        "INCLUDED": True,
        "SIGNED_ED25519": False,
        "SIGNED_SM2": False,
    }


@pytest.mark.parametrize(("position", "code"), [(0, "SIGNED_ED25519"), (1, "SIGNED_SM2")])
def test_one_good_signature_is_not_enough(position: int, code: str) -> None:
    document = _document()
    other = sign(_head({"proof": {"head": {**document["proof"]["head"], "number": 13}}}))
    algorithm = SIGNERS[position].algorithm
    document["proof"]["signatures"][algorithm]["signature"] = other[algorithm].signature
    assert [name for name, ok in _codes(_verify(document)).items() if not ok] == [code]


def test_a_key_that_is_not_published_is_refused() -> None:
    verdict = verify_certificate(sample().bundle, key_set(SIGNERS[:1]))
    assert [name for name, ok in _codes(verdict).items() if not ok] == ["SIGNED_SM2"]


def test_a_key_counts_only_while_it_was_in_use() -> None:
    moment, after = instant(AT), instant(AT + timedelta(microseconds=1))
    assert verify_certificate(sample().bundle, key_set(valid_from=moment, valid_to=after)).valid
    assert not verify_certificate(sample().bundle, key_set(valid_from=after)).valid
    assert not verify_certificate(sample().bundle, key_set(valid_to=moment)).valid


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tanpuhui-keys/2"},
        {"keys": []},
        {"extra": 1},
        {"keys": [{"key_id": "a"}]},
    ],
)
def test_a_key_set_of_another_form_is_unusable(change: dict[str, object]) -> None:
    verdict = verify_certificate(sample().bundle, json.dumps({**json.loads(key_set()), **change}).encode())
    assert not verdict.valid
    assert not verdict.usable
    assert _codes(verdict) == {"KEYS_READABLE": False}


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": "00" * 31},
        {"public_key": "AA" * 32},
        {"algorithm": "rsa"},
        {"valid_to": "yesterday"},
        {"key_id": ""},
    ],
)
def test_a_malformed_key_is_unusable(change: dict[str, object]) -> None:
    assert not verify_certificate(sample().bundle, key_set(**change)).usable


def test_two_keys_of_one_name_are_unusable() -> None:
    assert not verify_certificate(sample().bundle, key_set((SIGNERS[0], SIGNERS[0]))).usable


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    assert not verify_certificate(data, sample().keys).valid
    assert not verify_certificate(sample().bundle, data).usable


def test_deep_nesting_gets_an_answer() -> None:
    for depth in (500, 900, 100_000):
        assert not verify_certificate(b"[" * depth + b"]" * depth, sample().keys).valid
        assert not verify_certificate(b'{"a":' * depth + b"1" + b"}" * depth, sample().keys).valid
        assert not verify_certificate(sample().bundle, b"[" * depth + b"]" * depth).usable


@pytest.mark.parametrize(
    "change",
    [
        {"quantity_t": 29},
        {"quantity_t": 0, "serial_ranges": []},
        {"serial_ranges": [("I", 1, 20), ("I", 11, 20)]},
        {"serial_ranges": [("I", 30, 1)]},
        {"serial_ranges": [("I", 0, 29)]},
        {"vintage": "26"},
        {"holder_name": ""},
        {"beneficiary": {"kind": "person", "name": "张三"}},
        {"beneficiary": {"kind": "person", "commitment": "张三"}},
        {"beneficiary": {"kind": "person", "commitment": "ab" * 32, "name": "张三"}},
        {"beneficiary": {"kind": "animal", "code": "1", "name": "x"}},
    ],
)
def test_a_payload_that_contradicts_itself_is_never_made(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        certificate_payload(**{**PAYLOAD_ARGUMENTS, **change})


def test_a_person_is_a_beneficiary_by_commitment() -> None:
    payload = certificate_payload(
        **{**PAYLOAD_ARGUMENTS, "beneficiary": {"kind": "person", "commitment": "ab" * 32}}
    )
    assert payload["beneficiary"] == {"kind": "person", "commitment": "ab" * 32}


def _head(document: dict[str, Any]) -> Head:
    members = dict(document["proof"]["head"])
    del members["format"]
    return Head(**members)


def test_the_bundle_is_canonical_json() -> None:
    assert json.dumps(_backwards(parse(sample().bundle)), ensure_ascii=False).encode() != sample().bundle
    assert (
        sample().bundle
        == json.dumps(_document(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    )
