"""Rules of signing in, without a database: passwords, recovery codes, steps of a code, the life of a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.foundation.identity.domain.sign_in import (
    RECOVERY_ALPHABET,
    PasswordCommon,
    PasswordRules,
    PasswordTooPlain,
    PasswordTooShort,
    check_password,
    normal_recovery_code,
    random_password,
    step_to_accept,
    why_over,
    written_recovery_code,
)
from tanpuhui.foundation.kernel.errors import Invalid

STRICT = PasswordRules(length_min=12, classes_min=4, age=timedelta(days=90), history=5)
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CODES = st.text(alphabet=RECOVERY_ALPHABET, min_size=12, max_size=12)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("Sh0rt-one", PasswordTooShort),
        ("no-capitals-1", PasswordTooPlain),
        ("NO-SMALL-ONE-1", PasswordTooPlain),
        ("No-Digits-Here", PasswordTooPlain),
        ("OnlyLetters123", PasswordTooPlain),
    ],
)
def test_a_password_that_lacks_something_is_refused(password: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        check_password(password, rules=STRICT, common=False)


def test_a_common_password_is_refused_however_it_is_made_up() -> None:
    check_password("Long-Enough-1", rules=STRICT, common=False)
    with pytest.raises(PasswordCommon):
        check_password("Long-Enough-1", rules=STRICT, common=True)


def test_chinese_signs_count_as_other_signs() -> None:
    check_password("海棠花开Abc12345", rules=STRICT, common=False)


def test_every_random_password_meets_the_strictest_rule() -> None:
    made = {random_password() for _ in range(500)}
    assert len(made) == 500
    for one in made:
        check_password(one, rules=STRICT, common=False)


@given(CODES, st.sampled_from(["{}", " {} ", "{}-"]))
def test_a_recovery_code_is_read_back_however_it_is_written(code: str, shape: str) -> None:
    written = shape.format(written_recovery_code(code).lower())
    assert normal_recovery_code(written) == code


@pytest.mark.parametrize(
    "text", ["", "2345", "2222-2222-222O", "2222-2222-2222-2", "二二二二二二二二二二二二"]
)
def test_what_cannot_be_a_recovery_code_is_named(text: str) -> None:
    with pytest.raises(Invalid, match="recovery_code"):
        normal_recovery_code(text)


@given(st.lists(st.integers(0, 100), max_size=3), st.integers(0, 100))
def test_only_a_step_after_the_last_one_is_accepted(matching: list[int], last: int) -> None:
    accepted = step_to_accept(matching, last=last)
    later = [step for step in matching if step > last]
    assert accepted == (min(later) if later else None)


@pytest.mark.parametrize(
    ("opened", "seen", "why"),
    [
        (timedelta(hours=1), timedelta(minutes=29), None),
        (timedelta(hours=1), timedelta(minutes=30), "idle"),
        (timedelta(hours=12), timedelta(0), "age"),
        (timedelta(hours=11, minutes=59), timedelta(0), None),
        (timedelta(minutes=-1), timedelta(0), "age"),
    ],
)
def test_a_session_ends_when_idle_or_old(opened: timedelta, seen: timedelta, why: str | None) -> None:
    idle, age = timedelta(minutes=30), timedelta(hours=12)
    assert why_over(opened_at=AT - opened, seen_at=AT - seen, idle=idle, age=age, at=AT) == why
