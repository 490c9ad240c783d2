"""The second factor: enrolled, confirmed, asked for, each code once; lost, it is taken away by somebody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
from pydantic import SecretStr
from pytest_django.fixtures import Settings

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity.models import SignInAttempt, TotpAuthenticator
from tanpuhui.foundation.identity.operations import (
    NoDemonstrationCode,
    RecoveryCodeWrong,
    SecondFactorLocked,
    SecondFactorMissing,
    SecondFactorPresent,
    SecondFactorUsed,
    SecondFactorWrong,
    TotpNotBegun,
    add_member,
    begin_totp,
    enrol_demonstration_totp,
    enrol_totp,
    own,
    renew_recovery_codes,
    reset_second_factor,
    sign_in_with_password,
    sign_in_with_recovery_code,
    sign_in_with_totp,
)
from tanpuhui.foundation.identity.queries import actor_of, breaches
from tanpuhui.foundation.identity.queries.sign_in import demonstration_code, pending_totp, second_factors
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted

IP, PASSWORD = "192.0.2.1", "correct-horse-battery"
STEP = timedelta(seconds=30)


@pytest.fixture
def user_id(centre_id: int, now: datetime) -> int:
    return member(centre_id, "maker", now)


def member(
    organisation_id: int, username: str, now: datetime, area: str = "990000", role: Role = Role.MAKER
) -> int:
    return add_member(
        actor=SYSTEM,
        at=now,
        organisation_id=organisation_id,
        username=username,
        display_name=username,
        password=SecretStr(PASSWORD),
        role=role,
        area=area,
    ).user_id


def enrolled(user_id: int, at: datetime) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    """Enrol an authenticator a step ago, so that the code of `at` is unused."""
    earlier = at - STEP
    begin_totp(actor=own(user_id), at=earlier, user_id=user_id)
    totp = pyotp.TOTP(pending_totp(user_id).secret)
    codes = enrol_totp(actor=own(user_id), at=earlier, user_id=user_id, code=totp.at(earlier))
    return totp, codes


def other(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_an_authenticator_counts_once_a_code_confirms_it(user_id: int, now: datetime) -> None:
    begin_totp(actor=own(user_id), at=now, user_id=user_id)
    waiting = pending_totp(user_id)
    assert waiting.uri.startswith("otpauth://totp/")
    assert f"secret={waiting.secret}" in waiting.uri
    assert not second_factors(user_id).any
    with pytest.raises(SecondFactorMissing):
        sign_in_with_totp(user_id=user_id, code=pyotp.TOTP(waiting.secret).at(now), ip=IP, at=now)
    with pytest.raises(SecondFactorWrong):
        enrol_totp(
            actor=own(user_id), at=now, user_id=user_id, code=other(pyotp.TOTP(waiting.secret).at(now))
        )
    codes = enrol_totp(actor=own(user_id), at=now, user_id=user_id, code=pyotp.TOTP(waiting.secret).at(now))
    assert len(set(codes)) == 10
    assert second_factors(user_id).totp_since == now
    with pytest.raises(TotpNotBegun):
        pending_totp(user_id)


def test_a_code_signs_in_once(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now)
    sign_in_with_totp(user_id=user_id, code=f" {totp.at(now)} ", ip=IP, at=now)
    with pytest.raises(SecondFactorUsed) as refused:
        sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)
    assert 0 < int(str(refused.value.data["wait_seconds"])) <= 30
    sign_in_with_totp(user_id=user_id, code=totp.at(now + STEP), ip=IP, at=now + STEP)


def test_the_code_that_confirmed_the_enrolment_is_used_up_too(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now + STEP)
    with pytest.raises(SecondFactorUsed):
        sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)


def test_a_clock_may_be_one_step_off_and_no_more(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now - 10 * STEP)
    for steps in (-2, 2):
        with pytest.raises(SecondFactorWrong):
            sign_in_with_totp(user_id=user_id, code=totp.at(now + steps * STEP), ip=IP, at=now)
    for steps in (-1, 0, 1):
        sign_in_with_totp(user_id=user_id, code=totp.at(now + steps * STEP), ip=IP, at=now)


def test_an_earlier_code_is_refused_after_a_later_one(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now - 10 * STEP)
    sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)
    with pytest.raises(SecondFactorUsed):
        sign_in_with_totp(user_id=user_id, code=totp.at(now - STEP), ip=IP, at=now)


def test_five_wrong_codes_lock_even_the_right_one_for_thirty_minutes(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now)
    for _ in range(5):
        with pytest.raises(SecondFactorWrong):
            sign_in_with_totp(user_id=user_id, code="not-it", ip=IP, at=now)
    with pytest.raises(SecondFactorLocked, match="30 minutes"):
        sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)
    later = now + timedelta(minutes=30, seconds=1)
    sign_in_with_totp(user_id=user_id, code=totp.at(later), ip=IP, at=later)


def test_the_right_password_does_not_forgive_wrong_codes(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now)
    for _ in range(5):
        sign_in_with_password(username="maker", password=PASSWORD, ip=IP, at=now)
        with pytest.raises(SecondFactorWrong):
            sign_in_with_totp(user_id=user_id, code="000", ip=IP, at=now)
    with pytest.raises(SecondFactorLocked):
        sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)


def test_recovery_codes_share_the_lock(user_id: int, now: datetime) -> None:
    _, codes = enrolled(user_id, now)
    for _ in range(5):
        with pytest.raises(RecoveryCodeWrong):
            sign_in_with_recovery_code(user_id=user_id, code="2222-2222-2222", ip=IP, at=now)
    with pytest.raises(SecondFactorLocked):
        sign_in_with_recovery_code(user_id=user_id, code=codes[0], ip=IP, at=now)


def test_a_recovery_code_serves_once_however_it_is_typed(user_id: int, now: datetime) -> None:
    _, codes = enrolled(user_id, now)
    sign_in_with_recovery_code(user_id=user_id, code=codes[0].lower().replace("-", " "), ip=IP, at=now)
    assert second_factors(user_id).recovery_codes_left == 9
    with pytest.raises(RecoveryCodeWrong):
        sign_in_with_recovery_code(user_id=user_id, code=codes[0], ip=IP, at=now)
    with pytest.raises(Invalid, match="recovery_code"):
        sign_in_with_recovery_code(user_id=user_id, code="0OI1", ip=IP, at=now)


def test_new_recovery_codes_end_the_old_ones(user_id: int, now: datetime) -> None:
    _, old = enrolled(user_id, now)
    new = renew_recovery_codes(actor=own(user_id), at=now, user_id=user_id)
    assert not set(old) & set(new)
    with pytest.raises(RecoveryCodeWrong):
        sign_in_with_recovery_code(user_id=user_id, code=old[0], ip=IP, at=now)
    sign_in_with_recovery_code(user_id=user_id, code=new[0], ip=IP, at=now)


def test_somebody_elses_recovery_code_is_worth_nothing(user_id: int, centre_id: int, now: datetime) -> None:
    colleague = member(centre_id, "checker", now)
    _, codes = enrolled(colleague, now)
    enrolled(user_id, now)
    with pytest.raises(RecoveryCodeWrong):
        sign_in_with_recovery_code(user_id=user_id, code=codes[0], ip=IP, at=now)


def test_a_new_authenticator_replaces_the_old_one_and_keeps_the_recovery_codes(
    user_id: int, now: datetime
) -> None:
    old, _ = enrolled(user_id, now - 4 * STEP)
    new, codes = enrolled(user_id, now)
    assert codes == ()
    with pytest.raises(SecondFactorWrong):
        sign_in_with_totp(user_id=user_id, code=old.at(now), ip=IP, at=now)
    sign_in_with_totp(user_id=user_id, code=new.at(now), ip=IP, at=now)


def test_nobody_enrols_for_somebody_else(user_id: int, administrator: Actor, now: datetime) -> None:
    for stranger in (administrator, own(user_id + 1), SYSTEM):
        with pytest.raises(NotPermitted):
            begin_totp(actor=stranger, at=now, user_id=user_id)


def test_neither_secret_nor_code_reaches_database_or_audit_in_the_clear(user_id: int, now: datetime) -> None:
    begin_totp(actor=own(user_id), at=now, user_id=user_id)
    secret = pending_totp(user_id).secret
    code = pyotp.TOTP(secret).at(now)
    codes = enrol_totp(actor=own(user_id), at=now, user_id=user_id, code=code)
    sealed = bytes(TotpAuthenticator.objects.get(user_id=user_id).secret_sealed)
    assert secret.encode() not in sealed
    written = str(list(AuditRecord.objects.values_list("result", "subject")))
    assert secret not in written
    assert all(one not in written and one.replace("-", "") not in written for one in codes)
    confirmed = AuditRecord.objects.get(operation="identity.confirm_totp")
    assert (confirmed.actor_kind, confirmed.actor_id) == ("user", str(user_id))


def test_the_security_administrator_takes_a_lost_factor_away(
    user_id: int, security: Actor, now: datetime
) -> None:
    totp, codes = enrolled(user_id, now)
    done = reset_second_factor(actor=security, at=now, user_id=user_id, reason="电话核实，手机丢失")
    assert (done.authenticators, done.passkeys, done.recovery_codes) == (1, 0, 10)
    assert not second_factors(user_id).any
    with pytest.raises(SecondFactorMissing):
        sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)
    with pytest.raises(RecoveryCodeWrong):
        sign_in_with_recovery_code(user_id=user_id, code=codes[0], ip=IP, at=now)


def test_a_reset_takes_a_reason_and_the_right_administrator(
    user_id: int, partner_id: int, security: Actor, administrator: Actor, now: datetime
) -> None:
    enrolled(user_id, now)
    with pytest.raises(Invalid, match="reason"):
        reset_second_factor(actor=security, at=now, user_id=user_id, reason=" ")
    foreign = member(partner_id, "partner.admin", now, area="990100", role=Role.ADMINISTRATOR)
    for actor in (actor_of(user_id=foreign, at=now), actor_of(user_id=user_id, at=now), administrator):
        with pytest.raises(NotPermitted):
            reset_second_factor(actor=actor, at=now, user_id=user_id, reason="忘了带手机")
    with pytest.raises(NotPermitted):
        reset_second_factor(actor=security, at=now, user_id=int(security.id), reason="我自己的")
    assert second_factors(user_id).any


def test_an_administrator_of_a_partner_cannot_reset_whoever_also_serves_the_centre(
    user_id: int, partner_id: int, centre_id: int, security: Actor, now: datetime
) -> None:
    from tanpuhui.foundation.identity.operations import grant_role

    grant_role(
        actor=SYSTEM, at=now, user_id=user_id, organisation_id=partner_id, role=Role.PARTNER, area="990100"
    )
    foreign = member(partner_id, "partner.admin", now, area="990100", role=Role.ADMINISTRATOR)
    with pytest.raises(NotPermitted):
        reset_second_factor(actor=actor_of(user_id=foreign, at=now), at=now, user_id=user_id, reason="x")


def test_the_demonstration_authenticator_exists_in_a_demonstration_only(
    user_id: int, now: datetime, settings: Settings
) -> None:
    settings.TANPUHUI_DEMO = False
    with pytest.raises(NoDemonstrationCode):
        enrol_demonstration_totp(actor=SYSTEM, at=now, user_id=user_id)
    settings.TANPUHUI_DEMO = True
    enrol_demonstration_totp(actor=SYSTEM, at=now, user_id=user_id)
    code = demonstration_code(user_id, at=now).code
    settings.TANPUHUI_DEMO = False
    with pytest.raises(NoDemonstrationCode):
        demonstration_code(user_id, at=now)
    sign_in_with_totp(user_id=user_id, code=code, ip=IP, at=now)


def test_the_demonstration_shows_the_next_code_and_then_asks_to_wait(user_id: int, now: datetime) -> None:
    enrol_demonstration_totp(actor=SYSTEM, at=now, user_id=user_id)
    for _ in range(2):
        shown = demonstration_code(user_id, at=now)
        sign_in_with_totp(user_id=user_id, code=shown.code, ip=IP, at=now)
    shown = demonstration_code(user_id, at=now)
    assert (shown.code, shown.wait_seconds) == ("", 30)
    later = now + timedelta(seconds=shown.wait_seconds)
    sign_in_with_totp(user_id=user_id, code=demonstration_code(user_id, at=later).code, ip=IP, at=later)


def test_an_own_authenticator_is_never_shown(user_id: int, now: datetime) -> None:
    enrolled(user_id, now)
    with pytest.raises(NoDemonstrationCode):
        demonstration_code(user_id, at=now)
    with pytest.raises(SecondFactorPresent):
        enrol_demonstration_totp(actor=SYSTEM, at=now, user_id=user_id)


def test_every_try_is_on_record_without_the_name(user_id: int, now: datetime) -> None:
    totp, _ = enrolled(user_id, now)
    with pytest.raises(SecondFactorWrong):
        sign_in_with_totp(user_id=user_id, code="x", ip=IP, at=now)
    sign_in_with_totp(user_id=user_id, code=totp.at(now), ip=IP, at=now)
    tries = list(SignInAttempt.objects.order_by("id").values_list("way", "outcome", "ip"))
    assert tries == [("second_factor", "wrong", IP), ("second_factor", "signed_in", IP)]
    assert all(b"maker" not in bytes(index) for (index,) in SignInAttempt.objects.values_list("name_index"))


def test_a_secret_that_does_not_open_is_found(user_id: int, now: datetime) -> None:
    enrolled(user_id, now)
    assert list(breaches()) == []
    row = TotpAuthenticator.objects.get(user_id=user_id)
    TotpAuthenticator.objects.filter(id=row.id).update(secret_sealed=bytes(row.secret_sealed)[:-1])
    found = [(one.invariant, one.subject) for one in breaches()]
    assert found == [("second_factor_opens", f"totp_authenticator:{row.id}")]
