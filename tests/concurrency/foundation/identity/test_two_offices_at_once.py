"""Two administrators give one person two offices at the same moment: one holds, the other is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.concurrency.conftest import CommittedDatabase

from tanpuhui.foundation.identity.models import Membership
from tanpuhui.foundation.identity.operations import (
    AdministratorNeeded,
    AdministratorsCombined,
    MembershipOver,
    OrganisationKind,
    RoleGranted,
    add_person,
    end_membership,
    grant_role,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

pytestmark = [pytest.mark.concurrency, pytest.mark.usefixtures("rules")]
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def rules(committed_database: CommittedDatabase, invented_jurisdiction: Path) -> None:
    """Load the invented rules, which say what a password must be."""
    load_jurisdiction(actor=SYSTEM, at=AT, folder=invented_jurisdiction)


def people(*names: str) -> tuple[int, ...]:
    centre_id = register_organisation(
        actor=SYSTEM,
        at=AT,
        kind=OrganisationKind.CENTRE,
        name="中心",
        name_en="Centre",
        uscc=complete_uscc("12990000", "00000001"),
        area="990000",
    ).organisation_id
    return centre_id, *(
        add_person(
            actor=SYSTEM,
            at=AT,
            organisation_id=centre_id,
            username=name,
            display_name=name,
            password=SecretStr("another-long-password"),
        ).user_id
        for name in names
    )


def giving(centre_id: int, user_id: int, role: Role) -> Callable[[], object]:
    return lambda: grant_role(
        actor=SYSTEM, at=AT, user_id=user_id, organisation_id=centre_id, role=role, area="990000"
    )


def test_of_two_offices_given_at_once_one_is_held(committed_database: CommittedDatabase) -> None:
    centre_id, *users = people(*(f"somebody-{number}" for number in range(5)))
    for user_id in users:
        found = committed_database.run_together(
            giving(centre_id, user_id, Role.SYSTEM_ADMINISTRATOR),
            giving(centre_id, user_id, Role.SECURITY_ADMINISTRATOR),
        )
        assert sorted(type(result).__name__ for result in found) == [
            AdministratorsCombined.__name__,
            RoleGranted.__name__,
        ]
        assert Membership.objects.filter(user_id=user_id).count() == 1


def test_the_last_two_of_a_kind_do_not_leave_at_once(committed_database: CommittedDatabase) -> None:
    centre_id, *users = people("first", "second")
    ids = [giving(centre_id, user_id, Role.AUDIT_ADMINISTRATOR)().membership_id for user_id in users]  # type: ignore[attr-defined]
    found = committed_database.run_together(
        *(
            (lambda one=one: end_membership(actor=SYSTEM, at=AT.replace(hour=3), membership_id=one))
            for one in ids
        )
    )
    assert sorted(type(result).__name__ for result in found) == [
        AdministratorNeeded.__name__,
        MembershipOver.__name__,
    ]
