"""Passkeys: registered, verified, refused where anything is not as it must be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from tests.integration.foundation.identity.test_second_factor import IP, enrolled, member
from tests.software_authenticator import SoftwareAuthenticator

from tanpuhui.foundation.identity.models import Passkey
from tanpuhui.foundation.identity.operations import (
    LastSecondFactor,
    PasskeyCloned,
    PasskeyRefused,
    PasskeyTaken,
    RelyingParty,
    ask_for_new_passkey,
    ask_for_passkey,
    own,
    register_passkey,
    remove_passkey,
    sign_in_with_passkey,
)
from tanpuhui.foundation.identity.queries.sign_in import second_factors
from tanpuhui.foundation.kernel.errors import Invalid, NotFound

PARTY = RelyingParty(id="scheme.example", origin="https://scheme.example", name="黄海碳普惠")


@pytest.fixture
def user_id(centre_id: int, now: datetime) -> int:
    return member(centre_id, "maker", now)


@pytest.fixture
def device() -> SoftwareAuthenticator:
    return SoftwareAuthenticator(relying_party=PARTY.id, origin=PARTY.origin)


def registered(
    user_id: int, device: SoftwareAuthenticator, at: datetime, *, name: str = "手机"
) -> tuple[str, ...]:
    asked = ask_for_new_passkey(user_id=user_id, relying_party=PARTY)
    return register_passkey(
        actor=own(user_id), at=at, user_id=user_id, relying_party=PARTY, state=asked.state,
        answer=device.create(asked.options), name=name,
    )  # fmt: skip


def signed_in(
    user_id: int | None, device: SoftwareAuthenticator, at: datetime, *, party: RelyingParty = PARTY
) -> int:
    asked = ask_for_passkey(user_id=user_id, relying_party=party)
    user = sign_in_with_passkey(
        user_id=user_id,
        relying_party=party,
        state=asked.state,
        answer=device.get(asked.options),
        ip=IP,
        at=at,
    )
    return user.id


def test_a_passkey_signs_its_person_in_with_and_without_a_name(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    assert len(registered(user_id, device, now)) == 10
    assert [one.name for one in second_factors(user_id).passkeys] == ["手机"]
    assert signed_in(user_id, device, now) == user_id
    assert signed_in(None, device, now) == user_id
    assert second_factors(user_id).passkeys[0].last_used_at == now


def test_the_browser_is_asked_to_verify_the_person_and_not_to_make_a_known_key_again(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    asked = json.loads(ask_for_new_passkey(user_id=user_id, relying_party=PARTY).options)
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert len(asked["excludeCredentials"]) == 1
    assert asked["user"]["name"] == "maker"
    assert json.loads(ask_for_passkey(user_id=user_id, relying_party=PARTY).options)["allowCredentials"]
    assert not json.loads(ask_for_passkey(user_id=None, relying_party=PARTY).options).get("allowCredentials")


@pytest.mark.parametrize(
    "fault",
    [{"origin": "https://schemes.example"}, {"relying_party": "schemes.example"}, {"verified": False}],
)
def test_an_answer_from_elsewhere_or_without_verification_is_refused(
    fault: dict[str, object], user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    wrong = replace(device, **fault)  # type: ignore[arg-type]
    with pytest.raises(PasskeyRefused):
        signed_in(user_id, wrong, now)
    with pytest.raises(PasskeyRefused):
        registered(user_id, replace(wrong, credential_id=b"another-credential"), now)


def test_an_answer_to_another_question_is_refused(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    first = ask_for_passkey(user_id=user_id, relying_party=PARTY)
    second = ask_for_passkey(user_id=user_id, relying_party=PARTY)
    with pytest.raises(PasskeyRefused):
        sign_in_with_passkey(
            user_id=user_id,
            relying_party=PARTY,
            state=second.state,
            answer=device.get(first.options),
            ip=IP,
            at=now,
        )


def test_another_key_under_a_known_name_is_refused(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    forged = SoftwareAuthenticator(
        relying_party=PARTY.id, origin=PARTY.origin, credential_id=device.credential_id
    )
    with pytest.raises(PasskeyRefused):
        signed_in(user_id, forged, now)


def test_a_colleagues_passkey_is_no_second_factor(
    user_id: int, centre_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    colleague = member(centre_id, "checker", now)
    registered(colleague, device, now)
    asked = ask_for_passkey(user_id=None, relying_party=PARTY)
    with pytest.raises(PasskeyRefused):
        sign_in_with_passkey(
            user_id=user_id,
            relying_party=PARTY,
            state=asked.state,
            answer=device.get(asked.options),
            ip=IP,
            at=now,
        )


def test_a_counter_that_goes_back_is_a_copy(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    device.counter = 5
    registered(user_id, device, now)
    signed_in(user_id, device, now)
    device.counter = 3
    with pytest.raises(PasskeyCloned):
        signed_in(user_id, device, now)
    assert Passkey.objects.get().sign_count == 7


def test_a_passkey_of_another_address_does_not_count_here(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    elsewhere = RelyingParty(id="other.example", origin="https://other.example", name="x")
    assert second_factors(user_id, relying_party=elsewhere.id).passkeys == ()
    moved = replace(device, relying_party=elsewhere.id, origin=elsewhere.origin)
    with pytest.raises(PasskeyRefused):
        signed_in(None, moved, now, party=elsewhere)


@pytest.mark.parametrize(
    "answer", ["", "[]", "{}", '{"id": 1}', "x" * 30_000, '{"rawId": "AA", "response": {}}']
)
def test_nonsense_is_refused_and_breaks_nothing(answer: str, user_id: int, now: datetime) -> None:
    asked = ask_for_passkey(user_id=None, relying_party=PARTY)
    with pytest.raises(PasskeyRefused):
        sign_in_with_passkey(
            user_id=None, relying_party=PARTY, state=asked.state, answer=answer, ip=IP, at=now
        )
    with pytest.raises(PasskeyRefused):
        register_passkey(
            actor=own(user_id),
            at=now,
            user_id=user_id,
            relying_party=PARTY,
            state=asked.state,
            answer=answer,
            name="x",
        )


def test_a_passkey_is_registered_once_and_has_a_name(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    with pytest.raises(PasskeyTaken):
        registered(user_id, device, now)
    with pytest.raises(Invalid, match="name"):
        registered(user_id, SoftwareAuthenticator(relying_party=PARTY.id, origin=PARTY.origin), now, name=" ")


def test_the_last_factor_stays_and_a_removed_passkey_opens_nothing(
    user_id: int, device: SoftwareAuthenticator, now: datetime
) -> None:
    registered(user_id, device, now)
    passkey_id = second_factors(user_id).passkeys[0].id
    with pytest.raises(LastSecondFactor):
        remove_passkey(actor=own(user_id), at=now, user_id=user_id, passkey_id=passkey_id)
    enrolled(user_id, now)
    remove_passkey(actor=own(user_id), at=now, user_id=user_id, passkey_id=passkey_id)
    with pytest.raises(PasskeyRefused):
        signed_in(None, device, now)
    with pytest.raises(NotFound):
        remove_passkey(actor=own(user_id), at=now, user_id=user_id, passkey_id=passkey_id)
