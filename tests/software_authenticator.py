"""A device that holds one passkey, in software: it answers as a browser would, right or wrong as it is told."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG


@dataclass(kw_only=True)
class SoftwareAuthenticator:
    """One key pair for one name; `counter` rises with each use where it is not None."""

    relying_party: str
    origin: str
    counter: int | None = None
    verified: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, options: str | dict[str, Any]) -> str:
        """Answer a request for a new passkey."""
        asked = _read(options)
        held = AttestedCredentialData.create(
            Aaguid(bytes(16)), self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(
            sha256(self.relying_party.encode()), self._flags() | FLAG.AT, self._count(), bytes(held)
        )
        attestation = AttestationObject.create("none", data, {})
        client = self._client(CollectedClientData.TYPE.CREATE, asked)
        return self._answer(client, attestationObject=websafe_encode(attestation))

    def get(self, options: str | dict[str, Any]) -> str:
        """Answer a request to sign in."""
        asked = _read(options)
        data = AuthenticatorData.create(sha256(self.relying_party.encode()), self._flags(), self._count())
        client = self._client(CollectedClientData.TYPE.GET, asked)
        signature = self.key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            client, authenticatorData=websafe_encode(data), signature=websafe_encode(signature)
        )

    def _flags(self) -> AuthenticatorData.FLAG:
        return FLAG.UP | FLAG.UV if self.verified else FLAG.UP

    def _count(self) -> int:
        if self.counter is None:
            return 0
        self.counter += 1
        return self.counter

    def _client(self, kind: CollectedClientData.TYPE, asked: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(kind, websafe_decode(asked["challenge"]), self.origin)

    def _answer(self, client: CollectedClientData, **response: str) -> str:
        told = {
            "id": websafe_encode(self.credential_id),
            "rawId": websafe_encode(self.credential_id),
            "type": "public-key",
            "response": {"clientDataJSON": client.b64, **response},
            "clientExtensionResults": {},
        }
        return json.dumps(told)


def _read(options: str | dict[str, Any]) -> dict[str, Any]:
    return json.loads(options) if isinstance(options, str) else options
