"""Passkeys behind a port (通行密钥, WebAuthn): what a browser is asked, and whether its answer verifies.

CBOR, COSE keys and signatures are read by the `fido2` library; attestation is not asked for, since nobody here decides by
the maker of a device.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tanpuhui.foundation.identity.domain.sign_in import PasskeyRefused

log = logging.getLogger(__name__)
ANSWER_CHARACTERS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The name under which passkeys work (a host name) and the origin that their answers must carry."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the browser is asked, as JSON text, and what must be kept on the server until it answers."""

    options: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A verified new key."""

    credential_id: bytes
    credential_data: bytes
    sign_count: int


def ask_to_register(
    party: RelyingParty, *, handle: bytes, username: str, display_name: str, known: Sequence[bytes]
) -> Challenge:
    """Ask for a new key that is kept on the device and asks for finger, face or PIN, other than those known."""
    options, state = _server(party).register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=username, display_name=display_name),
        credentials=[_descriptor(one) for one in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _challenge(options, state)


def verify_registration(party: RelyingParty, *, state: Mapping[str, Any], answer: str) -> NewCredential:
    """Return the key that a browser made for the challenge. Raises PasskeyRefused."""
    try:
        data = _server(party).register_complete(dict(state), _read(answer))
        held = data.credential_data
        if held is None:
            raise _refused("no credential in the answer")
        return NewCredential(
            credential_id=bytes(held.credential_id), credential_data=bytes(held), sign_count=data.counter
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(str(error)) from error


def ask_to_sign_in(party: RelyingParty, *, known: Sequence[bytes]) -> Challenge:
    """Ask for one of the keys known, or for any that the device keeps for this name; the person must be verified."""
    options, state = _server(party).authenticate_begin(
        credentials=[_descriptor(one) for one in known] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _challenge(options, state)


def credential_named(answer: str) -> bytes:
    """Return which key an answer says it comes from; nothing is verified yet. Raises PasskeyRefused."""
    try:
        return bytes(AuthenticationResponse.from_dict(_read(answer)).raw_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(str(error)) from error


def verify_sign_in(
    party: RelyingParty, *, state: Mapping[str, Any], answer: str, credential_data: bytes
) -> int:
    """Verify an answer against the key that is on record, and return its counter. Raises PasskeyRefused."""
    try:
        given = _read(answer)
        _server(party).authenticate_complete(dict(state), [AttestedCredentialData(credential_data)], given)
        return int(AuthenticationResponse.from_dict(given).response.authenticator_data.counter)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(str(error)) from error


def _server(party: RelyingParty) -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(name=party.name, id=party.id),
        verify_origin=lambda origin: origin == party.origin,
    )


def _descriptor(credential_id: bytes) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=credential_id)


def _challenge(options: Mapping[str, Any], state: Mapping[str, Any]) -> Challenge:
    return Challenge(
        options=json.dumps(dict(options["publicKey"]), default=dict), state=json.loads(json.dumps(state))
    )


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > ANSWER_CHARACTERS_MAX:
        raise _refused("the answer is too long")
    given = json.loads(answer)
    if not isinstance(given, dict):
        raise _refused("the answer is no object")
    return given


def _refused(why: str) -> PasskeyRefused:
    log.warning("passkey refused: %s", why)
    return PasskeyRefused()
