"""Signatures: the standard's own vector, both algorithms, and openssl as an independent judge."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanpuhui.foundation.keys.adapters.software_signers import (
    Ed25519Signer,
    Sm2Signer,
    draw_signing_key,
    signer_of,
)
from tanpuhui.foundation.keys.domain import (
    ED25519,
    SIGNATURE_ALGORITHMS,
    SM2_SM3,
    is_public_key,
    verify_signature,
)
from tanpuhui.foundation.keys.domain.signatures import SM2_N, sm2_digest

# GB/T 32918.5-2017, annex A.2: the example on the recommended curve, user identifier 1234567812345678.
STANDARD_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
STANDARD_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
STANDARD_DIGEST = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
STANDARD_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def test_sm2_agrees_with_the_example_of_the_standard() -> None:
    signer = Sm2Signer(key_id="standard", private_key=STANDARD_PRIVATE)
    assert signer.public_key == STANDARD_PUBLIC
    assert sm2_digest(public_key=STANDARD_PUBLIC, message=b"message digest").hex() == STANDARD_DIGEST
    assert verify_signature(
        algorithm=SM2_SM3, public_key=STANDARD_PUBLIC, message=b"message digest", signature=STANDARD_SIGNATURE
    )


@pytest.mark.parametrize("algorithm", SIGNATURE_ALGORITHMS)
def test_a_signature_stands_for_its_message_and_key_only(algorithm: str) -> None:
    signer = signer_of(key_id="a", algorithm=algorithm, private_key=draw_signing_key(algorithm).value)
    other = signer_of(key_id="b", algorithm=algorithm, private_key=draw_signing_key(algorithm).value)
    signature = signer.sign(b"head 1")

    def stands(message: bytes = b"head 1", key: bytes = signer.public_key, by: bytes = signature) -> bool:
        return verify_signature(algorithm=algorithm, public_key=key, message=message, signature=by)

    assert stands()
    assert not stands(message=b"head 2")
    assert not stands(key=other.public_key)
    assert not any(stands(by=_with_bit_flipped(signature, bit)) for bit in range(0, 512, 37))
    assert not stands(by=signature[:-1])
    assert not stands(by=b"")
    assert not stands(key=signer.public_key[:-1])


@settings(max_examples=15, deadline=None)
@given(number=st.integers(1, SM2_N - 2), message=st.binary(max_size=200))
def test_sm2_verifies_what_it_signs_for_every_key(number: int, message: bytes) -> None:
    signer = Sm2Signer(key_id="k", private_key=number.to_bytes(32, "big"))
    assert is_public_key(algorithm=SM2_SM3, public_key=signer.public_key)
    signature = signer.sign(message)
    assert verify_signature(
        algorithm=SM2_SM3, public_key=signer.public_key, message=message, signature=signature
    )


def test_sm2_keeps_the_leading_zero_and_four_of_a_public_key() -> None:
    """The library strips them in its constructor; without our care such a key never verifies."""
    for number in range(1, 4000):
        signer = Sm2Signer(key_id="k", private_key=number.to_bytes(32, "big"))
        if signer.public_key[1] == 0x04 or signer.public_key[1] >> 4 == 0:
            signature = signer.sign(b"m")
            assert verify_signature(
                algorithm=SM2_SM3, public_key=signer.public_key, message=b"m", signature=signature
            )
            return
    pytest.fail("no public key with such a beginning among the first 4000")


def test_sm2_never_repeats_a_nonce() -> None:
    signer = Sm2Signer(key_id="k", private_key=STANDARD_PRIVATE)
    assert len({signer.sign(b"same")[:32] for _ in range(8)}) == 8


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (SM2_N, 1), (1, SM2_N), (1, SM2_N - 1), (2**256 - 1, 2**256 - 1)]
)
def test_sm2_refuses_values_outside_the_range_of_the_standard(r: int, s: int) -> None:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert not verify_signature(
        algorithm=SM2_SM3, public_key=STANDARD_PUBLIC, message=b"m", signature=signature
    )


def test_a_point_off_the_curve_is_no_sm2_key() -> None:
    assert not is_public_key(algorithm=SM2_SM3, public_key=_with_bit_flipped(STANDARD_PUBLIC, 300))
    assert not is_public_key(algorithm=SM2_SM3, public_key=b"\x04" + bytes(64))
    assert not is_public_key(algorithm="rsa", public_key=STANDARD_PUBLIC)


@pytest.mark.parametrize("number", [0, SM2_N - 1, SM2_N, 2**256 - 1])
def test_sm2_refuses_private_keys_outside_the_range_of_the_standard(number: int) -> None:
    with pytest.raises(ValueError, match="between 1 and n"):
        Sm2Signer(key_id="k", private_key=number.to_bytes(32, "big"))


def test_private_keys_stay_out_of_every_representation() -> None:
    drawn = draw_signing_key(ED25519)
    for shown in (
        repr(drawn),
        str(drawn),
        repr(Ed25519Signer(key_id="k", private_key=drawn.value)),
        repr(Sm2Signer(key_id="k", private_key=STANDARD_PRIVATE)),
    ):
        assert drawn.value.hex() not in shown
        assert repr(drawn.value) not in shown
        assert STANDARD_PRIVATE.hex() not in shown


def _openssl(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)


@pytest.fixture
def openssl_with_sm2(tmp_path: Path) -> Path:
    """Give a folder in which openssl has made an SM2 key, or skip where it cannot."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: SM2 has no independent judge here")
    made = _openssl("genpkey", "-algorithm", "SM2", "-out", "private.pem", folder=tmp_path)
    if made.returncode:
        pytest.skip("this openssl has no SM2: SM2 has no independent judge here")
    return tmp_path


_USER_ID = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")


def test_openssl_accepts_our_sm2_signature(openssl_with_sm2: Path) -> None:
    folder = openssl_with_sm2
    private, _ = _openssl_key(folder)
    signer = Sm2Signer(key_id="k", private_key=private)
    (folder / "message").write_bytes("第 1 号树头".encode())
    (folder / "signature").write_bytes(_der(signer.sign("第 1 号树头".encode())))
    verify = (
        "pkeyutl",
        "-verify",
        "-inkey",
        "private.pem",
        "-in",
        "message",
        "-sigfile",
        "signature",
        *_USER_ID,
    )
    assert _openssl(*verify, folder=folder).returncode == 0
    (folder / "message").write_bytes("第 2 号树头".encode())
    assert _openssl(*verify, folder=folder).returncode != 0


def test_we_accept_the_sm2_signature_of_openssl(openssl_with_sm2: Path) -> None:
    folder = openssl_with_sm2
    private, public = _openssl_key(folder)
    assert Sm2Signer(key_id="k", private_key=private).public_key == public
    (folder / "message").write_bytes(b"head")
    signed = _openssl(
        "pkeyutl",
        "-sign",
        "-inkey",
        "private.pem",
        "-in",
        "message",
        "-out",
        "signature",
        *_USER_ID,
        folder=folder,
    )
    assert signed.returncode == 0, signed.stderr
    signature = _from_der((folder / "signature").read_bytes())
    assert verify_signature(algorithm=SM2_SM3, public_key=public, message=b"head", signature=signature)
    assert not verify_signature(algorithm=SM2_SM3, public_key=public, message=b"heae", signature=signature)


def _openssl_key(folder: Path) -> tuple[bytes, bytes]:
    shown = _openssl("pkey", "-in", "private.pem", "-text", "-noout", folder=folder).stdout.decode()
    private = shown.partition("priv:")[2].partition("pub:")[0]
    public = shown.partition("pub:")[2].partition("ASN1")[0]
    number = int("".join(private.split()).replace(":", ""), 16)
    return number.to_bytes(32, "big"), bytes.fromhex("".join(public.split()).replace(":", ""))


def _der(signature: bytes) -> bytes:
    body = b"".join(_der_integer(int.from_bytes(part, "big")) for part in (signature[:32], signature[32:]))
    return b"\x30" + bytes([len(body)]) + body


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(content)]) + content


def _from_der(der: bytes) -> bytes:
    r_length = der[3]
    r = int.from_bytes(der[4 : 4 + r_length], "big")
    s = int.from_bytes(der[6 + r_length :], "big")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _with_bit_flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
