"""Passwords that change, sessions that end, locks that are lifted, and records that are deleted in time and never before."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connection, transaction
from pydantic import SecretStr
from tests.integration.foundation.identity.test_second_factor import IP, PASSWORD, enrolled, member

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity.models import EarlierPassword, SignInAttempt, SignInSession, User
from tanpuhui.foundation.identity.operations import (
    OrganisationKind,
    PasswordReused,
    PasswordsDiffer,
    PasswordTooShort,
    PasswordWrong,
    SecondFactorWrong,
    SignInLocked,
    add_person,
    change_password,
    close_session,
    end_other_sessions,
    end_sessions,
    forget_sign_ins,
    give_temporary_password,
    open_session,
    own,
    register_citizen,
    register_organisation,
    reset_second_factor,
    sign_in_with_password,
    sign_in_with_totp,
    unlock_sign_in,
)
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.identity.queries.sessions import (
    SESSION_STAMP,
    count_people,
    open_sessions,
    session_stamp,
    sign_in_state,
    sign_in_states,
)
from tanpuhui.foundation.identity.queries.sign_in import kind_of_person, password_due, session_rules
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.models import Parameter
from tanpuhui.foundation.rulebook.queries import ParameterUnset

NEW = "another-horse-battery-9"


@pytest.fixture
def user_id(centre_id: int, now: datetime) -> int:
    return member(centre_id, "maker", now)


def session_of(user_id: int, at: datetime, *, seen: datetime | None = None) -> str:
    """Open a session as the sign-in page does, and return its key."""
    store = SessionStore()
    stamp = session_stamp(session_rules(user_id, at=at), at=at)
    store[SESSION_STAMP] = {**stamp, "seen_at": (seen or at).isoformat()}
    store.set_expiry(14 * 86400)
    store.create()
    open_session(
        actor=own(user_id), at=at, user_id=user_id, session_key=str(store.session_key), way="totp", ip=IP, device="Firefox/1 Linux"
    )  # fmt: skip
    return str(store.session_key)


def changed(
    user_id: int, now: datetime, *, old: str = PASSWORD, new: str = NEW, again: str = "", key: str = ""
) -> int:
    return change_password(
        actor=own(user_id),
        at=now,
        user_id=user_id,
        old=old,
        new=new,
        again=again or new,
        ip=IP,
        session_key=key,
    ).sessions_ended


def test_a_new_password_ends_the_other_sessions_and_the_old_password(user_id: int, now: datetime) -> None:
    mine, other = session_of(user_id, now), session_of(user_id, now)
    assert changed(user_id, now, key=mine) == 1
    assert [one.session_key for one in open_sessions([user_id], at=now)] == [mine]
    assert not SessionStore().exists(other)
    with pytest.raises(PasswordWrong):
        sign_in_with_password(username="maker", password=PASSWORD, ip=IP, at=now)
    assert sign_in_with_password(username="maker", password=NEW, ip=IP, at=now).id == user_id


def test_a_change_takes_the_old_password_and_two_equal_good_new_ones(user_id: int, now: datetime) -> None:
    with pytest.raises(PasswordWrong):
        changed(user_id, now, old="not-the-old-one-1")
    with pytest.raises(PasswordsDiffer):
        changed(user_id, now, again="another-horse-battery-8")
    with pytest.raises(PasswordTooShort):
        changed(user_id, now, new="short-1")
    with pytest.raises(NotPermitted):
        change_password(
            actor=own(user_id + 1), at=now, user_id=user_id, old=PASSWORD, new=NEW, again=NEW, ip=IP
        )
    assert sign_in_with_password(username="maker", password=PASSWORD, ip=IP, at=now).id == user_id


def test_guessing_the_old_password_locks_like_signing_in(user_id: int, now: datetime) -> None:
    for _ in range(5):
        with pytest.raises(PasswordWrong):
            changed(user_id, now, old="not-the-old-one-1")
    with pytest.raises(SignInLocked):
        changed(user_id, now)


def test_the_last_five_passwords_are_not_taken_again(user_id: int, now: datetime) -> None:
    had = [PASSWORD, *(f"another-horse-battery-{n}" for n in range(5))]
    for old, new in pairwise(had):
        changed(user_id, now, old=old, new=new)
    for one in had[1:]:
        with pytest.raises(PasswordReused):
            changed(user_id, now, old=had[-1], new=one)
    changed(user_id, now, old=had[-1], new=PASSWORD)
    assert EarlierPassword.objects.filter(user_id=user_id).count() == 6


def test_a_password_is_due_when_temporary_or_old(centre_id: int, now: datetime) -> None:
    fresh = add_person(
        actor=SYSTEM, at=now, organisation_id=centre_id, username="newcomer", display_name="新人", password=SecretStr(PASSWORD)
    ).user_id  # fmt: skip
    assert password_due(fresh, at=now)
    changed(fresh, now)
    assert not password_due(fresh, at=now + timedelta(days=89))
    assert password_due(fresh, at=now + timedelta(days=90))
    citizen = register_citizen(actor=SYSTEM, at=now, phone="13800000001", display_name="小林", area="990102")
    assert not password_due(citizen.user_id, at=now + timedelta(days=900))


def test_no_password_reaches_the_audit(user_id: int, security: Actor, now: datetime) -> None:
    changed(user_id, now)
    temporary = give_temporary_password(actor=security, at=now, user_id=user_id, reason="忘了密码")
    written = str(list(AuditRecord.objects.values_list("operation", "result", "subject")))
    assert temporary not in written
    assert NEW not in written
    assert "identity.record_temporary_password" in written


def test_a_temporary_password_serves_until_its_person_changes_it(
    user_id: int, security: Actor, now: datetime
) -> None:
    session_of(user_id, now)
    temporary = give_temporary_password(actor=security, at=now, user_id=user_id, reason="忘了密码")
    assert open_sessions([user_id], at=now) == ()
    assert sign_in_with_password(username="maker", password=temporary, ip=IP, at=now).id == user_id
    assert password_due(user_id, at=now)
    changed(user_id, now, old=temporary)
    assert not password_due(user_id, at=now)


def test_one_ends_ones_other_sessions_and_an_administrator_all(
    user_id: int, security: Actor, administrator: Actor, now: datetime
) -> None:
    mine, _, _ = (session_of(user_id, now) for _ in range(3))
    assert end_other_sessions(actor=own(user_id), at=now, user_id=user_id, session_key=mine).count == 2
    with pytest.raises(NotPermitted):
        end_other_sessions(actor=own(user_id + 1), at=now, user_id=user_id, session_key="")
    with pytest.raises(NotPermitted):
        end_sessions(actor=administrator, at=now, user_id=user_id, reason="设备丢失")
    with pytest.raises(Invalid, match="reason"):
        end_sessions(actor=security, at=now, user_id=user_id, reason="")
    assert end_sessions(actor=security, at=now, user_id=user_id, reason="设备丢失").count == 1
    assert open_sessions([user_id], at=now) == ()
    assert {row.ended_why for row in SignInSession.objects.filter(user_id=user_id)} == {
        "own",
        "administrator",
    }


def test_a_session_that_ran_out_is_not_listed(user_id: int, now: datetime) -> None:
    session_of(user_id, now - timedelta(hours=12))
    session_of(user_id, now - timedelta(hours=2), seen=now - timedelta(minutes=31))
    alive = session_of(user_id, now - timedelta(hours=2), seen=now - timedelta(minutes=29))
    assert [one.session_key for one in open_sessions([user_id], at=now)] == [alive]
    close_session(actor=own(user_id), at=now, user_id=user_id, session_key=alive, why="sign_out")
    assert open_sessions([user_id], at=now) == ()


def test_a_reset_factor_ends_the_sessions_too(user_id: int, security: Actor, now: datetime) -> None:
    enrolled(user_id, now)
    session_of(user_id, now)
    assert reset_second_factor(actor=security, at=now, user_id=user_id, reason="手机被盗").sessions == 1


def test_the_idle_time_follows_the_kind_of_person(
    user_id: int, partner_id: int, centre_id: int, now: datetime
) -> None:
    outside = member(partner_id, "driver", now, area="990100", role=Role.PARTNER)
    citizen = register_citizen(actor=SYSTEM, at=now, phone="13800000001", display_name="小林", area="990102")
    kinds = [kind_of_person(one, at=now) for one in (user_id, outside, citizen.user_id)]
    assert kinds == ["staff", "organisation", "citizen"]
    assert session_rules(user_id, at=now).idle == timedelta(minutes=30)
    assert session_rules(citizen.user_id, at=now).idle == timedelta(hours=12)
    Parameter.objects.filter(key="session.idle_minutes", scope="staff").update(value=None)
    with pytest.raises(ParameterUnset, match=r"session\.idle_minutes"):
        session_rules(user_id, at=now)
    assert session_rules(citizen.user_id, at=now).idle == timedelta(hours=12)


def test_a_lock_is_lifted_for_password_and_second_factor(
    user_id: int, security: Actor, now: datetime
) -> None:
    totp, _ = enrolled(user_id, now)
    for _ in range(5):
        with pytest.raises(PasswordWrong):
            sign_in_with_password(username="maker", password="wrong-wrong-wrong", ip=IP, at=now)
        with pytest.raises(SecondFactorWrong):
            sign_in_with_totp(user_id=user_id, code="x", ip=IP, at=now)
    assert sign_in_state(user_id, at=now).locked
    unlock_sign_in(actor=security, at=now, user_id=user_id, reason="电话核实")
    assert not sign_in_state(user_id, at=now).locked
    sign_in_with_password(username="maker", password=PASSWORD, ip=IP, at=now)
    sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)
    assert SignInAttempt.objects.filter(outcome="wrong").count() == 10


def test_nobody_looks_after_themselves_or_other_organisations(
    user_id: int, partner_id: int, security: Actor, now: datetime
) -> None:
    outside = member(partner_id, "boss", now, area="990100", role=Role.ADMINISTRATOR)
    boss = actor_of(user_id=outside, at=now)
    for act in (unlock_sign_in, end_sessions, give_temporary_password):
        with pytest.raises(NotPermitted):
            act(actor=boss, at=now, user_id=user_id, reason="x")
        with pytest.raises(NotPermitted):
            act(actor=security, at=now, user_id=int(security.id), reason="x")
        with pytest.raises(NotPermitted):
            act(actor=boss, at=now, user_id=outside, reason="x")
    colleague = member(partner_id, "driver", now, area="990100", role=Role.PARTNER)
    give_temporary_password(actor=boss, at=now, user_id=colleague, reason="忘了密码")


def test_a_list_of_many_people_asks_as_many_questions_as_one_of_few(
    centre_id: int, now: datetime, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        session_of(member(centre_id, f"maker{number:02d}", now), now)
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        states = sign_in_states([centre_id], at=now, count=50)
    assert [one.open_sessions for one in states] == [1] * 12
    assert count_people([centre_id], search="maker0") == 10


def test_the_list_keeps_to_area_and_organisation(
    centre_id: int, partner_id: int, user_id: int, now: datetime
) -> None:
    elsewhere = register_organisation(
        actor=SYSTEM, at=now, kind=OrganisationKind.MERCHANT, name="远店", name_en="Far", area="980000",
        uscc=complete_uscc("91980000", "00000009"),
    ).organisation_id  # fmt: skip
    member(partner_id, "driver", now, area="990100", role=Role.PARTNER)
    member(elsewhere, "stranger", now, area="980000", role=Role.MERCHANT)
    assert {one.username for one in sign_in_states(None, at=now, area="990000")} == {"maker", "driver"}
    assert {one.username for one in sign_in_states([partner_id], at=now)} == {"driver"}
    assert sign_in_states([], at=now) == ()


def attempt(at: datetime) -> None:
    SignInAttempt.objects.create(name_index=bytes(32), ip=IP, outcome="wrong", at=at)


def test_what_is_older_than_the_rule_is_forgotten_and_nothing_younger(rules: None, now: datetime) -> None:
    for months in (5, 6, 7):
        attempt(now - timedelta(days=31 * months))
    attempt(now)
    done = forget_sign_ins(actor=SYSTEM, at=now)
    assert (done.attempts, done.more) == (2, False)
    assert SignInAttempt.objects.order_by("at").first().at >= done.before  # type: ignore[union-attr]
    assert SignInAttempt.objects.count() == 2


def test_a_longer_rule_keeps_longer_and_an_unset_one_keeps_everything(rules: None, now: datetime) -> None:
    attempt(now - timedelta(days=400))
    Parameter.objects.filter(key="retention.log_months").update(value="36")
    assert forget_sign_ins(actor=SYSTEM, at=now).attempts == 0
    Parameter.objects.filter(key="retention.log_months").update(value=None)
    with pytest.raises(ParameterUnset, match=r"retention\.log_months"):
        forget_sign_ins(actor=SYSTEM, at=now)
    assert SignInAttempt.objects.count() == 1


def test_the_database_itself_keeps_what_is_young(rules: None, now: datetime) -> None:
    attempt(now)
    attempt(now - timedelta(days=400))
    young, old = SignInAttempt.objects.order_by("-at")
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        young.delete()
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        SignInAttempt.objects.filter(id=old.id).update(outcome="signed_in")
    with pytest.raises(DatabaseError, match="truncate"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("truncate identity_signinattempt")
    # A clock of ours that runs a year ahead deletes nothing early.
    with pytest.raises(DatabaseError, match="kept"):
        forget_sign_ins(actor=SYSTEM, at=now + timedelta(days=365))
    Parameter.objects.filter(key="retention.log_months").update(value=None)
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        old.delete()


def test_a_password_changed_at_the_same_moment_is_not_overwritten(user_id: int, now: datetime) -> None:
    from tanpuhui.foundation.identity.operations._change_password import set_password

    before = User.objects.get(id=user_id).password
    changed(user_id, now)
    with pytest.raises(PasswordWrong):
        set_password(
            actor=own(user_id), at=now, user_id=user_id, old_hash=SecretStr(before), new_hash=SecretStr("x"), session_key=""
        )  # fmt: skip
