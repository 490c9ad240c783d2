"""What the inbox says in SQL is what the rules say in Python, for invented people with all kinds of roles, case by case."""

from __future__ import annotations

import random

import pytest
from tests.integration.foundation.workflow.conftest import Province

from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.foundation.workflow.queries._cases import outcomes_of

pytestmark = pytest.mark.django_db
PEOPLE = (41, 42, 43)
AREAS = ("990000", "990100", "990200", "990101", "880000")
WALK = (
    ("submit", Role.OWNER),
    ("verify", Role.VERIFIER),
    ("prepare", Role.MAKER),
    ("return", Role.CHECKER),
    ("prepare", Role.MAKER),
)


def invented_actor(chance: random.Random, province: Province) -> Actor:
    """Return somebody with one to three roles, own or delegated, for one of the organisations or a stranger's."""
    roles = (Role.OWNER, Role.VERIFIER, Role.MAKER, Role.CHECKER, Role.REGULATOR, Role.BUYER)
    grants = tuple(
        Grant(
            role=chance.choice(roles),
            organisation_id=chance.choice([province.owner_id, province.verifier_id, None]),
            area=chance.choice(AREAS),
            on_behalf_of=chance.choice(["", "", *map(str, PEOPLE)]),
        )
        for _ in range(chance.randrange(1, 4))
    )
    return Actor(kind="user", id=str(chance.choice(PEOPLE)), grants=grants)


def walked_cases(chance: random.Random, province: Province) -> None:
    """Walk cases to every place on the way, decided by changing people, partly on behalf of others; some are held for one."""
    for number in range(24):
        opened = province.open("issuance", subject_id=str(number), area=chance.choice(AREAS[:4]))
        for outcome, role in WALK[: number % (len(WALK) + 1)]:
            person, other = chance.sample(PEOPLE, 2)
            own = province.actor(role, user_id=person)
            grant = own.grants[0]
            behalf = str(other) if chance.random() < 0.4 else ""
            actor = Actor(
                kind="user",
                id=str(person),
                grants=(
                    Grant(
                        role=grant.role,
                        organisation_id=grant.organisation_id,
                        area=grant.area,
                        on_behalf_of=behalf,
                    ),
                ),
            )
            # The same two people may both stand behind the step that is compared with: then somebody else takes it.
            if outcome == "return":
                actor = province.actor(role, user_id=99)
            decide(
                actor=actor, at=province.at, idempotency_key=None, case_id=opened.case_id, outcome=outcome, opinion="同意"
            )  # fmt: skip
        if chance.random() < 0.4:
            state = Case.objects.get(pk=opened.case_id).state
            role = {"submitted": "verifier", "verified": "maker", "prepared": "checker"}.get(state, "owner")
            Case.objects.filter(pk=opened.case_id).update(
                assigned_to=chance.choice(PEOPLE), assigned_role=role
            )


def test_the_inbox_of_anybody_is_what_they_may_decide(province: Province) -> None:
    chance = random.Random(7)
    for person in (*PEOPLE, 99):
        User.objects.create(
            pk=person, username=str(person), display_name=str(person), area="990000", is_citizen=False,
            joined_at=province.at,
        )  # fmt: skip
    walked_cases(chance, province)
    rows = list(Case.objects.prefetch_related("parties", "decisions").order_by("pk"))
    versions = {row.process_version_id: rulebook.process_by_id(row.process_version_id) for row in rows}
    waiting = 0
    for _ in range(150):
        actor = invented_actor(chance, province)
        allowed = {
            row.pk
            for row in rows
            if any(
                found.blocked is None
                for found in outcomes_of(row, version=versions[row.process_version_id], actor=actor)
            )
        }
        listed = {line.case.case_id for line in queries.inbox(actor=actor, at=province.at, limit=200)}
        assert listed == allowed, actor
        assert queries.count_inbox(actor) == len(allowed)
        waiting += len(allowed)
    assert waiting > 300, "the people invented here decide something"
