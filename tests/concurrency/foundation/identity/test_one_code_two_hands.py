"""One code or identity used by two at once, on committed transactions: one has it, the other is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from pydantic import SecretStr
from pytest_django.fixtures import Settings
from tests.concurrency.conftest import CommittedDatabase

from tanpuhui.foundation.identity.models import ExternalIdentity, SignInAttempt
from tanpuhui.foundation.identity.operations import (
    IdentityBound,
    IdentityTaken,
    OrganisationKind,
    RecoveryCodeWrong,
    SecondFactorLocked,
    SecondFactorUsed,
    SecondFactorWrong,
    add_member,
    begin_totp,
    bind_identity,
    enrol_totp,
    own,
    register_citizen,
    register_organisation,
    sign_in_with_recovery_code,
    sign_in_with_totp,
)
from tanpuhui.foundation.identity.queries.sign_in import pending_totp, second_factors
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

pytestmark = pytest.mark.concurrency

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
HANDS = 4


@pytest.fixture
def enrolled(
    committed_database: CommittedDatabase, settings: Settings, tmp_path: Path, invented_jurisdiction: Path
) -> tuple[int, pyotp.TOTP, tuple[str, ...]]:
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    load_jurisdiction(actor=SYSTEM, at=AT, folder=invented_jurisdiction)
    centre = register_organisation(
        actor=SYSTEM, at=AT, kind=OrganisationKind.CENTRE, name="中心", name_en="Centre",
        uscc=complete_uscc("12990000", "00000001"), area="990000",
    )  # fmt: skip
    user_id = add_member(
        actor=SYSTEM, at=AT, organisation_id=centre.organisation_id, username="maker", display_name="经办",
        password=SecretStr("correct-horse-battery"), role=Role.MAKER, area="990000",
    ).user_id  # fmt: skip
    earlier = AT - timedelta(minutes=5)
    begin_totp(actor=own(user_id), at=earlier, user_id=user_id)
    totp = pyotp.TOTP(pending_totp(user_id).secret)
    return (
        user_id,
        totp,
        enrol_totp(actor=own(user_id), at=earlier, user_id=user_id, code=totp.at(earlier)),
    )


def test_one_time_code_signs_in_one(
    committed_database: CommittedDatabase, enrolled: tuple[int, pyotp.TOTP, tuple[str, ...]]
) -> None:
    user_id, totp, _ = enrolled
    results = committed_database.run_together(
        *[
            lambda: sign_in_with_totp(user_id=user_id, code=totp.at(AT), ip="192.0.2.1", at=AT)
            for _ in range(HANDS)
        ]
    )
    assert results.count(None) == 1, results
    assert sum(isinstance(one, SecondFactorUsed) for one in results) == HANDS - 1


def test_one_recovery_code_signs_in_one(
    committed_database: CommittedDatabase, enrolled: tuple[int, pyotp.TOTP, tuple[str, ...]]
) -> None:
    user_id, _, codes = enrolled
    results = committed_database.run_together(
        *[
            lambda: sign_in_with_recovery_code(user_id=user_id, code=codes[0], ip="192.0.2.1", at=AT)
            for _ in range(HANDS)
        ]
    )
    assert results.count(None) == 1, results
    assert sum(isinstance(one, RecoveryCodeWrong) for one in results) == HANDS - 1
    assert second_factors(user_id).recovery_codes_left == len(codes) - 1


def test_wrong_codes_at_once_are_all_counted(
    committed_database: CommittedDatabase, enrolled: tuple[int, pyotp.TOTP, tuple[str, ...]]
) -> None:
    user_id, _, _ = enrolled
    results = committed_database.run_together(
        *[lambda: sign_in_with_totp(user_id=user_id, code="no", ip="192.0.2.1", at=AT) for _ in range(7)]
    )
    assert sum(isinstance(one, SecondFactorWrong) for one in results) == 5, results
    assert sum(isinstance(one, SecondFactorLocked) for one in results) == 2
    assert SignInAttempt.objects.filter(outcome="wrong").count() == 5


def test_one_identity_elsewhere_becomes_one_persons(
    committed_database: CommittedDatabase, enrolled: tuple[int, pyotp.TOTP, tuple[str, ...]]
) -> None:
    citizens = [
        register_citizen(
            actor=SYSTEM, at=AT, phone=f"1380000000{n}", display_name=f"公众{n}", area="990102"
        ).user_id
        for n in range(HANDS)
    ]

    def binding(user_id: int) -> Callable[[], IdentityBound]:
        return lambda: bind_identity(
            actor=own(user_id), at=AT, user_id=user_id, way="sso", issuer="https://sso.example",
            subject_index_hex="ab" * 32, real_name_level="",
        )  # fmt: skip

    results = committed_database.run_together(*(binding(one) for one in citizens))
    assert sum(isinstance(one, IdentityBound) for one in results) == 1, results
    assert sum(isinstance(one, IdentityTaken) for one in results) == HANDS - 1
    again = committed_database.run_together(*(binding(citizens[0]) for _ in range(HANDS)))
    assert sum(isinstance(one, IdentityBound | IdentityTaken) for one in again) == HANDS
    assert ExternalIdentity.objects.count() == 1
