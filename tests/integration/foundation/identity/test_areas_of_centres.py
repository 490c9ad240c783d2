"""Which cities a sub-centre runs is data with dates; its people act there and nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from pydantic import SecretStr

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import AreaAssignment
from tanpuhui.foundation.identity.operations import (
    AreaAssignedAlready,
    AreaNotAssignable,
    OrganisationKind,
    add_member,
    assign_area,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

pytestmark = pytest.mark.django_db
NORTH, SOUTH = "990100", "990200"


@pytest.fixture(autouse=True)
def rules(data_folder: Path, invented_jurisdiction: Path, now: datetime) -> None:
    load_jurisdiction(actor=SYSTEM, at=now, folder=invented_jurisdiction)


def sub_centre(number: int, seat: str, at: datetime) -> int:
    return register_organisation(
        actor=SYSTEM,
        at=at,
        kind=OrganisationKind.SUBCENTRE,
        name=f"分中心 {number}",
        name_en=f"Sub-centre {number}",
        uscc=complete_uscc("12990100", f"0000010{number}"),
        area=seat,
    ).organisation_id


def maker(organisation_id: int, at: datetime, *, area: str = "990000") -> int:
    return add_member(
        actor=SYSTEM,
        at=at,
        organisation_id=organisation_id,
        username=f"maker-{organisation_id}-{area}",
        display_name="分中心经办",
        password=SecretStr("another-long-password"),
        role=Role.MAKER,
        area=area,
    ).user_id


def areas(user_id: int, at: datetime) -> list[str]:
    return [grant.area for grant in queries.actor_of(user_id=user_id, at=at).grants]


def test_a_sub_centre_enters_with_the_cities_that_the_jurisdiction_names_for_its_seat(now: datetime) -> None:
    centre = sub_centre(1, NORTH, now)
    (held,) = queries.area_assignments(at=now)
    assert (held.organisation_id, held.area, held.valid_to) == (centre, NORTH, None)
    second_at_the_same_seat = sub_centre(2, NORTH, now)
    assert queries.area_assignments(organisation_id=second_at_the_same_seat) == ()


def test_its_people_act_on_the_assigned_cities_inside_the_area_of_their_role(
    administrator: Actor, now: datetime
) -> None:
    centre = sub_centre(1, NORTH, now)
    whole, county = maker(centre, now), maker(centre, now, area="990102")
    elsewhere = maker(centre, now, area=SOUTH)
    assert (areas(whole, now), areas(county, now), areas(elsewhere, now)) == ([NORTH], ["990102"], [])
    later = now + timedelta(days=1)
    assign_area(actor=administrator, at=later, area=SOUTH, organisation_id=centre, reason="南屿没有分中心")
    assert areas(whole, now) == [NORTH]
    assert (areas(whole, later), areas(county, later), areas(elsewhere, later)) == (
        [NORTH, SOUTH],
        ["990102"],
        [SOUTH],
    )


def test_a_city_moves_from_one_centre_to_another_and_back_to_the_province(
    administrator: Actor, now: datetime
) -> None:
    old, new = sub_centre(1, NORTH, now), sub_centre(2, SOUTH, now)
    first, second = maker(old, now), maker(new, now)
    moved, returned = now + timedelta(days=30), now + timedelta(days=60)
    assign_area(actor=administrator, at=now, area=NORTH, organisation_id=new, reason="机构调整", begins=moved)
    assert (areas(first, now), areas(second, now)) == ([NORTH], [])
    assert (areas(first, moved), areas(second, moved)) == ([], [NORTH])
    assign_area(actor=administrator, at=returned, area=NORTH, organisation_id=None, reason="收回省中心")
    assert (areas(first, returned), areas(second, returned)) == ([], [])
    assert [row.organisation_id for row in queries.area_assignments()] == [old, new]
    assert queries.area_assignments(at=returned) == ()


def test_what_cannot_be_assigned_is_refused_with_its_reason(
    administrator: Actor, security: Actor, centre_id: int, now: datetime
) -> None:
    centre = sub_centre(1, NORTH, now)
    facts = {"actor": administrator, "at": now, "reason": "试"}
    with pytest.raises(AreaNotAssignable, match="city by city"):
        assign_area(area="990102", organisation_id=centre, **facts)  # type: ignore[arg-type]
    with pytest.raises(AreaNotAssignable, match="only a sub-centre"):
        assign_area(area=SOUTH, organisation_id=centre_id, **facts)  # type: ignore[arg-type]
    with pytest.raises(AreaAssignedAlready):
        assign_area(area=NORTH, organisation_id=centre, **facts)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="reason"):
        assign_area(area=SOUTH, organisation_id=centre, **{**facts, "reason": " "})  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="past"):
        assign_area(area=SOUTH, organisation_id=centre, begins=now - timedelta(1), **facts)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        assign_area(area=SOUTH, organisation_id=centre, **{**facts, "actor": security})  # type: ignore[arg-type]


def test_a_change_for_later_is_not_overtaken(administrator: Actor, now: datetime) -> None:
    old, new = sub_centre(1, NORTH, now), sub_centre(2, SOUTH, now)
    assign_area(
        actor=administrator, at=now, area=NORTH, organisation_id=new, reason="机构调整", begins=now + timedelta(30)
    )  # fmt: skip
    with pytest.raises(AreaAssignedAlready) as refused:
        assign_area(
            actor=administrator, at=now + timedelta(1), area=NORTH, organisation_id=old, reason="再改"
        )
    assert refused.value.data["centre"] == "分中心 2"


def test_the_database_keeps_one_centre_for_a_city_at_a_time(now: datetime) -> None:
    sub_centre(1, NORTH, now)
    other = sub_centre(2, SOUTH, now)
    with pytest.raises(IntegrityError, match="area_assignment_one_at_a_time"), transaction.atomic():
        AreaAssignment.objects.create(
            organisation_id=other, area=NORTH, valid_from=now + timedelta(1), reason=""
        )


def test_who_may_act_on_an_area_is_found_in_the_other_direction_too(
    administrator: Actor, now: datetime
) -> None:
    centre = sub_centre(1, NORTH, now)
    whole, elsewhere = maker(centre, now), maker(centre, now, area=SOUTH)
    facts = {"role": Role.MAKER, "at": now}
    assert queries.users_with_role(area="990102", **facts) == {whole}  # type: ignore[arg-type]
    assert queries.users_with_role(area=SOUTH, **facts) == frozenset()  # type: ignore[arg-type]
    later = now + timedelta(days=1)
    assign_area(actor=administrator, at=later, area=SOUTH, organisation_id=centre, reason="扩大")
    assert queries.users_with_role(area=SOUTH, role=Role.MAKER, at=later) == {whole, elsewhere}
    assert queries.users_with_role(area=SOUTH, role=Role.MAKER, at=later, organisation_id=0) == frozenset()
