from __future__ import annotations

import pytest

from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role, area_covers
from tanpuhui.foundation.kernel.errors import NotPermitted


@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [
        ("990000", "990102", True),
        ("990100", "990102", True),
        ("990102", "990102", True),
        ("990200", "990102", False),
        ("990102", "990100", False),
    ],
)
def test_an_area_covers_what_lies_in_it(outer: str, inner: str, inside: bool) -> None:
    assert area_covers(outer, inner) is inside


def test_role_organisation_and_area_must_meet_in_one_grant() -> None:
    actor = Actor(
        kind="user",
        id="1",
        grants=(Grant(Role.OWNER, 7, "990100"), Grant(Role.MAKER, 8, "990200")),
    )
    assert actor.has(Role.OWNER, organisation_id=7, area="990101")
    assert not actor.has(Role.OWNER, organisation_id=8)
    assert not actor.has(Role.OWNER, organisation_id=7, area="990201")
    with pytest.raises(NotPermitted):
        actor.require(Role.OWNER, operation="x", area="990201")


def test_the_system_passes_and_nobody_does_not() -> None:
    SYSTEM.require(Role.MAKER, operation="x", area="990101")
    with pytest.raises(NotPermitted):
        Actor(kind="user", id="2").require(Role.MAKER, operation="x")
