from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from django.db import DatabaseError, transaction

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.audit.operations import IdempotencyConflict, operation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams

pytestmark = pytest.mark.django_db

calls: list[Grams] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    thing_id: int
    grams: Grams


@operation(roles={Role.MAKER}, subject="thing:{thing_id}")
def weigh(*, actor: Actor, at: datetime, grams: Grams, idempotency_key: str | None = None) -> Weighed:
    calls.append(grams)
    return Weighed(thing_id=7, grams=grams)


@operation(roles={Role.MAKER}, subject="thing:{thing_id}")
def weigh_twice(*, actor: Actor, at: datetime) -> Weighed:
    weigh(actor=actor, at=at, grams=Grams(1))
    return weigh(actor=actor, at=at, grams=Grams(2))


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    calls.clear()


def maker(name: str = "1") -> Actor:
    return Actor(kind="user", id=name, grants=(Grant(Role.MAKER),))


def test_it_writes_one_record_of_what_was_done(now: datetime) -> None:
    result = weigh(actor=maker(), at=now, grams=Grams(436))
    record = AuditRecord.objects.get()
    assert result == Weighed(thing_id=7, grams=Grams(436))
    assert (record.subject, record.actor_id, record.at) == ("thing:7", "1", now)
    assert record.result == {"thing_id": 7, "grams": {"value": 436}}


def test_a_repeat_has_one_effect_and_the_first_result(now: datetime) -> None:
    first = weigh(actor=maker(), at=now, grams=Grams(5), idempotency_key="k")
    again = weigh(actor=maker(), at=now, grams=Grams(5), idempotency_key="k")
    assert again == first
    assert calls == [Grams(5)]


def test_the_same_key_with_another_body_is_refused(now: datetime) -> None:
    weigh(actor=maker(), at=now, grams=Grams(5), idempotency_key="k")
    with pytest.raises(IdempotencyConflict) as refused:
        weigh(actor=maker(), at=now, grams=Grams(6), idempotency_key="k")
    assert refused.value.code == "IDEMPOTENCY_CONFLICT"
    assert "k" in refused.value.message("zh")
    assert calls == [Grams(5)]


def test_the_key_of_one_actor_is_not_that_of_another(now: datetime) -> None:
    weigh(actor=maker("1"), at=now, grams=Grams(5), idempotency_key="k")
    weigh(actor=maker("2"), at=now, grams=Grams(6), idempotency_key="k")
    assert calls == [Grams(5), Grams(6)]


def test_a_role_that_is_not_named_is_refused(now: datetime) -> None:
    with pytest.raises(NotPermitted):
        weigh(actor=Actor(kind="user", id="3", grants=(Grant(Role.CITIZEN),)), at=now, grams=Grams(1))
    assert not AuditRecord.objects.exists()


def test_an_inner_operation_joins_and_names_the_outer(now: datetime) -> None:
    weigh_twice(actor=SYSTEM, at=now)
    within = list(AuditRecord.objects.order_by("id").values_list("within", flat=True))
    assert [name.rsplit(".", 1)[-1] for name in within] == ["weigh_twice", "weigh_twice", ""]


def test_the_record_cannot_be_changed_or_removed(now: datetime) -> None:
    weigh(actor=maker(), at=now, grams=Grams(1))
    for change in (
        lambda: AuditRecord.objects.update(subject="x"),
        lambda: AuditRecord.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_positional_arguments_and_a_missing_time_are_mistakes() -> None:
    with pytest.raises(TypeError, match="keyword-only"):

        @operation(roles=set(), subject="x")
        def positional(actor: Actor, at: datetime) -> Weighed:
            return Weighed(thing_id=1, grams=Grams(1))

    with pytest.raises(TypeError, match="`actor` and `at`"):

        @operation(roles=set(), subject="x")
        def timeless(*, actor: Actor) -> Weighed:
            return Weighed(thing_id=1, grams=Grams(1))
