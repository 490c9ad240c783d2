"""Sign-in: a code by phone for citizens, a password for organisations' people, each with its limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity.models import SignInCode
from tanpuhui.foundation.identity.operations import (
    CodeExpired,
    CodeTooSoon,
    CodeWrong,
    PasswordWrong,
    PhoneNotRegistered,
    PhoneTaken,
    SignInLocked,
    SmsNotConfigured,
    TooManyCodes,
    register_citizen,
    register_with_code,
    request_code,
    sign_in_with_code,
    sign_in_with_password,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor
from tanpuhui.foundation.kernel.errors import Invalid

pytestmark = pytest.mark.usefixtures("rules")
PHONE, IP, PASSWORD = "13800000001", "192.0.2.1", "correct-horse-battery"


@pytest.fixture
def sent(data_folder: Path) -> Callable[[], str]:
    def last_code() -> str:
        line = (data_folder / "outbox" / "sms.log").read_text(encoding="utf-8").splitlines()[-1]
        found = re.search(r"\t(\d{11})\t【黄海碳普惠】验证码 (\d{6})，5 分钟内有效", line)
        assert found is not None
        return found[2]

    return last_code


@pytest.fixture
def citizen_id(now: datetime) -> int:
    return register_citizen(actor=SYSTEM, at=now, phone=PHONE, display_name="小林", area="990102").user_id


def other_code(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_code_that_was_sent_signs_in_once(
    citizen_id: int, now: datetime, sent: Callable[[], str]
) -> None:
    requested = request_code(phone="138-0000-0001", ip=IP, at=now)
    assert requested.masked_phone == "138****0001"
    assert requested.expires_at == now + timedelta(minutes=5)
    code = sent()
    assert sign_in_with_code(phone=PHONE, code=f" {code} ", ip=IP, at=now).id == citizen_id
    with pytest.raises(CodeExpired):
        sign_in_with_code(phone=PHONE, code=code, ip=IP, at=now)


def test_a_wrong_code_counts_and_the_fifth_ends_it(
    citizen_id: int, now: datetime, sent: Callable[[], str]
) -> None:
    request_code(phone=PHONE, ip=IP, at=now)
    code = sent()
    for tries_left in (4, 3, 2, 1):
        with pytest.raises(CodeWrong) as refusal:
            sign_in_with_code(phone=PHONE, code=other_code(code), ip=IP, at=now)
        assert refusal.value.data["tries_left"] == tries_left
    with pytest.raises(CodeExpired):
        sign_in_with_code(phone=PHONE, code=other_code(code), ip=IP, at=now)
    with pytest.raises(CodeExpired):
        sign_in_with_code(phone=PHONE, code=code, ip=IP, at=now)
    assert citizen_id


def test_a_code_ends_after_five_minutes(citizen_id: int, now: datetime, sent: Callable[[], str]) -> None:
    request_code(phone=PHONE, ip=IP, at=now)
    almost = now + timedelta(minutes=5) - timedelta(seconds=1)
    with pytest.raises(CodeExpired):
        sign_in_with_code(phone=PHONE, code=sent(), ip=IP, at=now + timedelta(minutes=5))
    assert sign_in_with_code(phone=PHONE, code=sent(), ip=IP, at=almost).id == citizen_id


def test_a_newer_code_replaces_the_older(citizen_id: int, now: datetime, sent: Callable[[], str]) -> None:
    request_code(phone=PHONE, ip=IP, at=now)
    first = sent()
    later = now + timedelta(minutes=1)
    request_code(phone=PHONE, ip=IP, at=later)
    if first != sent():
        with pytest.raises(CodeWrong):
            sign_in_with_code(phone=PHONE, code=first, ip=IP, at=later)
    assert sign_in_with_code(phone=PHONE, code=sent(), ip=IP, at=later).id == citizen_id


def test_codes_are_limited_per_phone(now: datetime) -> None:
    request_code(phone=PHONE, ip=IP, at=now)
    with pytest.raises(CodeTooSoon) as refusal:
        request_code(phone=PHONE, ip=IP, at=now + timedelta(seconds=10))
    assert refusal.value.data["wait_seconds"] == 51
    for minute in range(1, 5):
        request_code(phone=PHONE, ip=f"192.0.2.{minute}", at=now + timedelta(minutes=minute))
    with pytest.raises(TooManyCodes):
        request_code(phone=PHONE, ip="192.0.2.9", at=now + timedelta(minutes=6))
    request_code(phone=PHONE, ip=IP, at=now + timedelta(minutes=61))


def test_codes_are_limited_per_address(now: datetime) -> None:
    for number in range(30):
        request_code(phone=f"139{number:08d}", ip=IP, at=now)
    with pytest.raises(TooManyCodes):
        request_code(phone="13900009999", ip=IP, at=now)
    request_code(phone="13900009999", ip="192.0.2.2", at=now)


def test_a_new_phone_registers_with_the_same_code(now: datetime, sent: Callable[[], str]) -> None:
    request_code(phone=PHONE, ip=IP, at=now)
    with pytest.raises(PhoneNotRegistered):
        sign_in_with_code(phone=PHONE, code=sent(), ip=IP, at=now)
    facts = {"phone": PHONE, "ip": IP, "at": now, "area": "990102"}
    with pytest.raises(Invalid):
        register_with_code(code=sent(), display_name="  ", **facts)  # type: ignore[arg-type]
    with pytest.raises(CodeWrong):
        register_with_code(code=other_code(sent()), display_name="小林", **facts)  # type: ignore[arg-type]
    user = register_with_code(code=sent(), display_name="小林", **facts)  # type: ignore[arg-type]
    assert (user.is_citizen, user.display_name, user.has_usable_password()) == (True, "小林", False)
    later = now + timedelta(minutes=2)
    request_code(phone=PHONE, ip=IP, at=later)
    with pytest.raises(PhoneTaken):
        register_with_code(code=sent(), display_name="小林", **{**facts, "at": later})  # type: ignore[arg-type]


def test_neither_phone_nor_code_is_kept_in_the_clear(
    citizen_id: int, now: datetime, sent: Callable[[], str]
) -> None:
    request_code(phone=PHONE, ip=IP, at=now)
    sign_in_with_code(phone=PHONE, code=sent(), ip=IP, at=now)
    with connection.cursor() as cursor:
        for table in (SignInCode._meta.db_table, AuditRecord._meta.db_table, "identity_user"):
            cursor.execute(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")
            text = cursor.fetchone()[0]
            assert PHONE not in text
            assert PHONE.encode().hex() not in text
            assert re.search(rf"\b{sent()}\b", text) is None
    assert citizen_id


def test_without_a_gateway_outside_the_demonstration_no_code_is_made(
    now: datetime, settings: Settings
) -> None:
    settings.TANPUHUI_DEMO = False
    with pytest.raises(SmsNotConfigured):
        request_code(phone=PHONE, ip=IP, at=now)
    assert not SignInCode.objects.exists()


def test_the_console_prints_the_message(
    now: datetime, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TANPUHUI_SMS = "console"
    request_code(phone=PHONE, ip=IP, at=now)
    assert PHONE in capsys.readouterr().err


def test_a_password_signs_in_and_the_fifth_failure_locks_for_half_an_hour(
    administrator: Actor, now: datetime
) -> None:
    signed_in = sign_in_with_password(username="admin.centre", password=PASSWORD, ip=IP, at=now)
    assert str(signed_in.id) == administrator.id
    for _ in range(5):
        with pytest.raises(PasswordWrong):
            sign_in_with_password(username="admin.centre", password="wrong", ip=IP, at=now)
    with pytest.raises(SignInLocked):
        sign_in_with_password(username="admin.centre", password=PASSWORD, ip="192.0.2.7", at=now)
    later = now + timedelta(minutes=30)
    assert (
        sign_in_with_password(username="admin.centre", password=PASSWORD, ip=IP, at=later).id == signed_in.id
    )


def test_a_success_clears_the_count(administrator: Actor, now: datetime) -> None:
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(PasswordWrong):
                sign_in_with_password(username="admin.centre", password="wrong", ip=IP, at=now)
        sign_in_with_password(username="admin.centre", password=PASSWORD, ip=IP, at=now)
    assert administrator.id


def test_an_unknown_name_and_a_citizen_are_refused_like_a_wrong_password(
    citizen_id: int, now: datetime
) -> None:
    with pytest.raises(PasswordWrong):
        sign_in_with_password(username="nobody", password=PASSWORD, ip=IP, at=now)
    assert citizen_id


def test_one_address_may_not_try_many_names(now: datetime) -> None:
    for number in range(50):
        with pytest.raises(PasswordWrong):
            sign_in_with_password(username=f"name-{number}", password="wrong", ip=IP, at=now)
    with pytest.raises(SignInLocked):
        sign_in_with_password(username="name-51", password="wrong", ip=IP, at=now)
