"""What signing in asks for: its rules, which are data, the second factor, and their refusals."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tanpuhui.foundation.kernel.errors import Invalid, Refusal

TOTP_SECONDS = 30
TOTP_STEPS_AROUND = 1
"""RFC 6238 section 5.2 recommends to accept one step of delay; clocks of phones run both ways."""

RECOVERY_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0, 1, I, L and O, which are mistaken for each other on paper."""
RECOVERY_CHARACTERS = 12
"""31 signs to the power of 12: some 59 bits, which nobody guesses through five tries at a time."""

PASSWORD_CHARACTERS_MAX = 200
"""What the sign-in form sends; a longer one would only burn time in the hash."""

_PASSWORD_ALPHABET = string.ascii_letters + string.digits + "-_"
_PASSWORD_CHARACTERS = 20
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[^a-zA-Z0-9]"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRules:
    """How a code by text message is made and limited (短信验证码规则)."""

    digits: int
    valid: timedelta
    tries_max: int
    pause: timedelta
    per_phone_per_hour: int
    per_address_per_hour: int

    @property
    def minutes(self) -> int:
        """Return how many minutes a code holds."""
        return int(self.valid.total_seconds() // 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRules:
    """How many failures lock a name or an address, and for how long (登录锁定规则)."""

    failures_max: int
    failures_per_address_max: int
    locked: timedelta

    @property
    def minutes(self) -> int:
        """Return for how many minutes too many failures lock."""
        return int(self.locked.total_seconds() // 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRules:
    """What a password must be (口令规则): length, classes of characters of four, and how many earlier ones it may not repeat."""

    length_min: int
    classes_min: int
    age: timedelta
    history: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """How long a session lives (会话规则): idle, in all, and for how long it counts as fresh for changes to one's sign-in."""

    idle: timedelta
    age: timedelta
    fresh: timedelta


class PasswordTooShort(Refusal):
    """The password has too few characters."""

    code = "PASSWORD_TOO_SHORT"
    zh = "密码至少要 {length_min} 个字符。请换一个长一些的，几个词连起来好记又安全。"
    en = "A password has at least {length_min} characters. Choose a longer one; several words in a row are easy to remember."


class PasswordTooPlain(Refusal):
    """The password has too few classes of characters."""

    code = "PASSWORD_TOO_PLAIN"
    zh = "密码要含大写字母、小写字母、数字、其他符号中的至少 {classes_min} 类。请补上缺的。"
    en = "A password holds at least {classes_min} of: capital letters, small letters, digits, other signs. Add what is missing."


class PasswordCommon(Refusal):
    """The password is one of those that everybody tries first."""

    code = "PASSWORD_COMMON"
    zh = "这个密码太常见，猜的人会先试它。请换一个。"
    en = "This password is among those that are tried first. Choose another."


class PasswordReused(Refusal):
    """The password is one that this person had lately."""

    code = "PASSWORD_REUSED"
    zh = "新密码与现用的或最近 {history} 个用过的相同。请换一个没用过的。"
    en = "The new password is the present one or one of the last {history}. Choose one that was not used."


class PasswordsDiffer(Refusal):
    """The new password was typed twice, and not the same."""

    code = "PASSWORDS_DIFFER"
    zh = "两次输入的新密码不一样。请重新输入。"
    en = "The new password was not typed the same twice. Type it again."


class SignInNotFresh(Refusal):
    """What changes a sign-in, or hands over everything about a person, asks for a session that was opened a moment ago."""

    code = "SIGN_IN_NOT_FRESH"
    zh = "办这件事要先确认是本人：登录已超过 {minutes} 分钟，请重新登录再办理。"
    en = "This takes a fresh sign-in, to be sure it is you: this one is older than {minutes} minutes. Sign in again first."


class SecondFactorWrong(Refusal):
    """The code of the second factor is not right."""

    code = "SECOND_FACTOR_WRONG"
    zh = "动态口令不对。请看验证器上现在显示的六位数；手机时间不准也会这样，请打开自动校时。"
    en = "The code is not right. Enter the six digits that the authenticator shows now; check that the phone sets its clock by itself."
    retryable = True


class SecondFactorUsed(Refusal):
    """A code serves once: RFC 6238 section 5.2."""

    code = "SECOND_FACTOR_USED"
    zh = "这个动态口令已经用过一次。请等验证器换出下一个（最多 {wait_seconds} 秒）。"
    en = "This code has been used once already. Wait for the next one (at most {wait_seconds} seconds)."
    retryable = True


class RecoveryCodeWrong(Refusal):
    """The recovery code is unknown, used, or replaced by newer ones."""

    code = "RECOVERY_CODE_WRONG"
    zh = "恢复码不对，或者已经用过。每个恢复码只能用一次；重新生成以后，旧的全部作废。"
    en = "The recovery code is not right or was used. Each serves once, and all of them end when new ones are made."
    retryable = True


class SecondFactorLocked(Refusal):
    """Too many wrong second factors for this person or from this address."""

    code = "SECOND_FACTOR_LOCKED"
    zh = "第二步验证失败次数过多，请 {minutes} 分钟后再试，或联系本机构管理员。"
    en = "Too many failures of the second factor. Try again in {minutes} minutes, or ask your organisation's administrator."
    retryable = True


class SecondFactorMissing(Refusal):
    """Nothing is enrolled that could be asked for."""

    code = "SECOND_FACTOR_MISSING"
    zh = "还没有登记第二步验证。请先登记验证器或通行密钥。"
    en = "No second factor is enrolled. Enrol an authenticator or a passkey first."


class SecondFactorPresent(Refusal):
    """A factor is enrolled already, so the first sign-in does not enrol another."""

    code = "SECOND_FACTOR_PRESENT"
    zh = "第二步验证已经登记过。请用它登录；要更换，请登录后在“我的登录”里办理。"
    en = "A second factor is enrolled already. Sign in with it; change it on the page about your sign-in."


class LastSecondFactor(Refusal):
    """The only factor left is not taken away; without one nobody of an organisation signs in."""

    code = "LAST_SECOND_FACTOR"
    zh = "这是仅有的第二步验证方式，不能移除。请先登记另一种。"
    en = "This is the only second factor left and is not removed. Enrol another one first."


class TotpNotBegun(Refusal):
    """There is no secret waiting to be confirmed."""

    code = "TOTP_NOT_BEGUN"
    zh = "没有待确认的验证器。请重新打开登记页面，扫新的二维码。"
    en = "No authenticator waits to be confirmed. Open the page again and scan the new code."


class PasskeyRefused(Refusal):
    """The answer of the passkey does not verify; which check failed is in the log, not in the answer."""

    code = "PASSKEY_REFUSED"
    zh = "通行密钥没有通过验证。请再试一次；换了设备或域名时，请改用其他方式登录。"
    en = "The passkey did not verify. Try again; with another device or address, sign in another way."
    retryable = True


class PasskeyCloned(Refusal):
    """The counter of a passkey went back: two devices hold the same key (WebAuthn level 3, section 7.2)."""

    code = "PASSKEY_CLONED"
    zh = "通行密钥的计数倒退，可能被复制，已拒绝。请联系本机构管理员重置，并登记新的。"
    en = "The passkey's counter went back, so it may have been copied. Ask your administrator for a reset and enrol a new one."


class PasskeyTaken(Refusal):
    """A passkey is registered once."""

    code = "PASSKEY_TAKEN"
    zh = "这把通行密钥已经登记过。"
    en = "This passkey is registered already."


class PasskeysUnavailable(Refusal):
    """Browsers tie passkeys to a name, never to a number."""

    code = "PASSKEYS_UNAVAILABLE"
    zh = "用 IP 地址打开的页面不能使用通行密钥。请用域名打开（本机演示用 http://localhost:端口）。"
    en = "A page opened by an IP address cannot use passkeys. Open it by its name (on this machine http://localhost:port)."


class SignInOver(Refusal):
    """The time between password and second factor is over."""

    code = "SIGN_IN_OVER"
    zh = "登录没有在 {minutes} 分钟内完成，请从用户名和密码重新开始。"
    en = "The sign-in was not finished within {minutes} minutes. Start again with user name and password."
    retryable = True


class NoDemonstrationCode(Refusal):
    """The demonstration's authenticator exists in the demonstration only."""

    code = "NO_DEMONSTRATION_CODE"
    zh = "这里没有演示验证器：只有演示环境里的演示人员才有。"
    en = "There is no demonstration authenticator here: only invented people of a demonstration have one."


def check_password(password: str, *, rules: PasswordRules, common: bool) -> None:
    """Refuse a password that the rules do not allow. Raises PasswordTooShort, PasswordTooPlain, PasswordCommon.

    `common` says whether it stands in the list of common passwords, which is read elsewhere.
    """
    if len(password) < rules.length_min:
        raise PasswordTooShort(length_min=rules.length_min)
    if sum(1 for one in _CLASSES if one.search(password)) < rules.classes_min:
        raise PasswordTooPlain(classes_min=rules.classes_min)
    if common:
        raise PasswordCommon


def random_password() -> str:
    """Return a password of 20 random letters, digits and hyphens with all four classes of characters: some 119 bits."""
    while True:
        text = "".join(secrets.choice(_PASSWORD_ALPHABET) for _ in range(_PASSWORD_CHARACTERS))
        if all(one.search(text) for one in _CLASSES):
            return text


def why_over(
    *, opened_at: datetime, seen_at: datetime, idle: timedelta, age: timedelta, at: datetime
) -> str | None:
    """Return why a session is over, `age` or `idle`; None while it lives. A clock that went back ends it too."""
    if at - opened_at >= age or at < opened_at:
        return "age"
    if at - seen_at >= idle:
        return "idle"
    return None


def step_to_accept(matching: Sequence[int], *, last: int) -> int | None:
    """Return the first TOTP step that matches and lies after the last one accepted; None where every match is old."""
    return min((step for step in matching if step > last), default=None)


def normal_recovery_code(text: str) -> str:
    """Return a recovery code in capitals, without spaces and hyphens. Raises Invalid for what cannot be one."""
    code = re.sub(r"[\s\-]", "", text).upper()
    if len(code) != RECOVERY_CHARACTERS or any(sign not in RECOVERY_ALPHABET for sign in code):
        raise Invalid(
            field="recovery_code",
            why=f"恢复码是 {RECOVERY_CHARACTERS} 个字母和数字，没有 0、1、I、L、O / "
            f"it has {RECOVERY_CHARACTERS} letters and digits, without 0, 1, I, L and O",
        )
    return code


def written_recovery_code(code: str) -> str:
    """Return a recovery code in groups of four, as it is shown and printed."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
