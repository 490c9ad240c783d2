"""Electronic seals behind one port (电子印章): none, or a detached signature by the platform's own keys, which is no seal.

A real e-seal (GB/T 38540) is issued by the province's seal authority; its adapter is one more class here.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Protocol

import rfc8785

from tanpuhui.foundation.keys import queries as keys

FORMAT = "tanpuhui-detached-signature/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A document after sealing: its bytes, and what was made beside it, empty where nothing was."""

    content: bytes
    signature: bytes


class Sealer(Protocol):
    """What seals documents. `statement` is printed on the document, so it is known before the bytes are."""

    @property
    def statement_zh(self) -> str:
        """What the document says of its seal."""

    @property
    def statement_en(self) -> str:
        """The same in English."""

    @property
    def signs(self) -> bool:
        """Whether something lies beside the document: a signature of its own."""

    def seal(self, content: bytes, *, seal_id: str) -> Sealed:
        """Return the sealed document. Raises Refusal where the seal cannot be used."""


class NoSeal:
    """No seal authority is connected: the document says so, and its bytes stay as they are."""

    statement_zh = "未加盖电子印章"
    statement_en = "Not sealed electronically"
    signs = False

    def seal(self, content: bytes, *, seal_id: str) -> Sealed:  # noqa: ARG002  the port names the seal
        """Return the document unchanged."""
        return Sealed(content=content, signature=b"")


class DetachedSignature:
    """Signatures beside the document by the platform's published keys (Ed25519, SM2): evidence of origin, no legal seal."""

    statement_zh = "未加盖电子印章；另附平台密钥的分离签名，不是法定电子印章"
    statement_en = "Not sealed electronically; a detached signature by the platform's keys lies beside it and is no legal seal"
    signs = True

    def seal(self, content: bytes, *, seal_id: str) -> Sealed:
        """Return the document with signatures over its hash and the name of the seal, by every key in use."""
        said = {"format": FORMAT, "seal": seal_id, "sha256": hashlib.sha256(content).hexdigest()}
        message = rfc8785.dumps(said)
        signatures = [
            {
                "key_id": signer.key_id,
                "algorithm": signer.algorithm,
                "signature": base64.b64encode(signer.sign(message)).decode(),
            }
            for signer in keys.signers()
        ]
        return Sealed(content=content, signature=rfc8785.dumps({"signed": said, "signatures": signatures}))


SEALERS: dict[str, type[NoSeal] | type[DetachedSignature]] = {"": NoSeal, "detached": DetachedSignature}
"""By the setting TANPUHUI_SEAL."""
