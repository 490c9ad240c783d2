"""What organisations, members and sign-in may be: pure rules and their refusals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Role, area_covers
from tanpuhui.foundation.kernel.errors import Invalid, Refusal


class OrganisationKind(StrEnum):
    """Kinds of organisation (机构类型)."""

    REGULATOR = "regulator"
    CENTRE = "centre"
    SUBCENTRE = "subcentre"
    OWNER = "owner"
    VERIFIER = "verifier"
    EXPERT_BODY = "expert_body"
    PARTNER = "partner"
    MERCHANT = "merchant"
    BUYER = "buyer"
    PILOT_AREA = "pilot_area"


ROLES_OF_KIND: Mapping[OrganisationKind, frozenset[Role]] = {
    OrganisationKind.REGULATOR: frozenset({Role.REGULATOR}),
    OrganisationKind.CENTRE: SCHEME_ADMINISTRATORS | {Role.MAKER, Role.CHECKER},
    OrganisationKind.SUBCENTRE: frozenset({Role.SUBCENTRE, Role.MAKER, Role.CHECKER}),
    OrganisationKind.OWNER: frozenset({Role.ADMINISTRATOR, Role.OWNER, Role.BUYER}),
    OrganisationKind.VERIFIER: frozenset({Role.ADMINISTRATOR, Role.VERIFIER}),
    OrganisationKind.EXPERT_BODY: frozenset({Role.ADMINISTRATOR, Role.EXPERT}),
    OrganisationKind.PARTNER: frozenset({Role.ADMINISTRATOR, Role.PARTNER, Role.OWNER, Role.BUYER}),
    OrganisationKind.MERCHANT: frozenset({Role.ADMINISTRATOR, Role.MERCHANT, Role.BUYER}),
    OrganisationKind.BUYER: frozenset({Role.ADMINISTRATOR, Role.BUYER}),
    OrganisationKind.PILOT_AREA: frozenset({Role.ADMINISTRATOR, Role.OWNER, Role.BUYER}),
}
"""Which roles a kind of organisation can give: a verifier can never be handed an owner's role, nor the reverse.

Regulator, centre and sub-centres have no administrator of their own (docs/decisions/three-administrators.md).
"""

SCHEME_BODIES = frozenset({OrganisationKind.REGULATOR, OrganisationKind.CENTRE, OrganisationKind.SUBCENTRE})
"""Who runs or watches the scheme. Everybody else is an outside organisation (入驻机构)."""

API_KEY_PREFIX = "tph_"
API_KEY_BYTES = 32

_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_AREA = re.compile(r"[0-9]{6}", re.ASCII)


class PhoneTaken(Refusal):
    """One person, one phone, one account."""

    code = "PHONE_TAKEN"
    zh = "手机号 {phone} 已经注册。请直接登录；号码换了主人时，请联系管理中心。"
    en = "The phone {phone} is registered already. Sign in with it, or ask the centre if the number has a new owner."


class UscCodeTaken(Refusal):
    """An organisation is registered once."""

    code = "USCC_TAKEN"
    zh = "统一社会信用代码 {uscc} 已经登记。请使用已有的机构。"
    en = "The social credit code {uscc} is registered already. Use the organisation that exists."


class UsernameTaken(Refusal):
    """A user name belongs to one person."""

    code = "USERNAME_TAKEN"
    zh = "用户名 {username} 已被使用。请换一个。"
    en = "The user name {username} is taken. Choose another."


class RoleNotOfKind(Refusal):
    """Such an organisation cannot give that role."""

    code = "ROLE_NOT_OF_KIND"
    zh = "“{kind}”类机构不能授予角色 {role}。请核对机构类型或角色。"
    en = "An organisation of kind {kind} cannot give the role {role}. Check the kind or the role."


class AdministratorsCombined(Refusal):
    """One of the three administrators holds no second role, and no other role is joined to theirs (三员分立)."""

    code = "ADMINISTRATORS_COMBINED"
    zh = (
        "系统管理员、安全管理员、审计管理员须是三个人，也不能兼任其他角色：该用户在这段时间已有角色 {held}，不能再授予 {role}。"
        "请另选一人，或先结束已有的角色。"
    )
    en = (
        "The system, security and audit administrators are three people and hold no other role: this user holds {held} "
        "at that time and cannot be given {role}. Choose another person, or end the role they have."
    )


class SelfAppointment(Refusal):
    """Nobody gives a role to themselves."""

    code = "SELF_APPOINTMENT"
    zh = "不能给自己授予角色。请由另一位有权的管理员授予。"
    en = "Nobody gives a role to themselves. Ask another administrator who may."


class AdministratorNeeded(Refusal):
    """The scheme keeps at least one administrator of each of the three kinds."""

    code = "ADMINISTRATOR_NEEDED"
    zh = "这是最后一位{role}，不能结束。请先任命接任的人。"
    en = "This is the last {role}; the role cannot end. Appoint a successor first."


class AlreadyFounded(Refusal):
    """The first three administrators are appointed once."""

    code = "ALREADY_FOUNDED"
    zh = "三员已经任命过。以后由安全管理员授予和结束角色。"
    en = "The three administrators have been appointed before. From now on the security administrator gives and ends roles."


class NotTheirPerson(Refusal):
    """An organisation's administrator gives roles to the organisation's own people only."""

    code = "NOT_THEIR_PERSON"
    zh = "该用户不是本机构的人员。请先为本机构添加人员，再授予角色。"
    en = "This user is not one of the organisation's people. Add the person to the organisation first, then give the role."


class AreaNotAssignable(Refusal):
    """Only a city is assigned, and only to a sub-centre."""

    code = "AREA_NOT_ASSIGNABLE"
    zh = "不能把区域 {area} 划给该机构：{why_zh}。"
    en = "The area {area} cannot be assigned to this organisation: {why_en}."


class AreaAssignedAlready(Refusal):
    """The area is with this organisation, or a change for later stands already."""

    code = "AREA_ASSIGNED_ALREADY"
    zh = "区域 {area} 自 {since} 起已划给“{centre}”。请核对生效时间。"
    en = "The area {area} is assigned to {centre_en} from {since} already. Check the date from which the change holds."


class DelegationImpossible(Refusal):
    """Such a delegation cannot be given."""

    code = "DELEGATION_IMPOSSIBLE"
    zh = "不能这样授权代办：{why_zh}。"
    en = "This cannot be delegated: {why_en}."


class DelegationOver(Refusal):
    """The delegation by which somebody acted has ended; what they decided before stays."""

    code = "DELEGATION_OVER"
    zh = "{giver} 给你的代办授权已于 {ended_at} 结束，不能再代为办理。此前代办的决定仍然有效，并记着两人的姓名。"
    en = (
        "The delegation that {giver} gave you ended at {ended_at}, so you can no longer act for them. "
        "What you decided before stays valid and names you both."
    )


class MembershipExists(Refusal):
    """The same role is held already."""

    code = "MEMBERSHIP_EXISTS"
    zh = "该用户在本机构、本区域已有角色 {role}。"
    en = "This user holds the role {role} here already."


class MembershipEnded(Refusal):
    """A membership ends once."""

    code = "MEMBERSHIP_ENDED"
    zh = "该成员关系已于 {ended_at} 结束。"
    en = "This membership ended at {ended_at} already."


class SubjectBoundElsewhere(Refusal):
    """A partner's pseudonym stands for one person only."""

    code = "SUBJECT_BOUND_ELSEWHERE"
    zh = "伙伴主体 {subject} 已绑定另一个人。请先与数据伙伴核对。"
    en = "The partner's subject {subject} is bound to another person. Clear this with the data partner first."


class ConsentStands(Refusal):
    """Consent for this scenario is in force already."""

    code = "CONSENT_STANDS"
    zh = "你已经同意过场景“{scenario}”的数据使用，无需再次同意。"
    en = "Your consent for the scenario {scenario} stands already; nothing needs to be done."


class NoConsent(Refusal):
    """There is no open consent to withdraw."""

    code = "NO_CONSENT"
    zh = "场景“{scenario}”没有有效的同意，无需撤回。"
    en = "There is no consent for the scenario {scenario} to withdraw."


class CodeTooSoon(Refusal):
    """A code was sent a moment ago."""

    code = "CODE_TOO_SOON"
    zh = "验证码刚刚发出，请 {wait_seconds} 秒后再试。"
    en = "A code was sent a moment ago. Try again in {wait_seconds} seconds."
    retryable = True


class TooManyCodes(Refusal):
    """The phone or the address asked for too many codes within the hour."""

    code = "TOO_MANY_CODES"
    zh = "获取验证码过于频繁，请一小时后再试。"
    en = "Too many codes were asked for. Try again in an hour."
    retryable = True


class CodeWrong(Refusal):
    """The code is not the one that was sent."""

    code = "CODE_WRONG"
    zh = "验证码不对，还可以试 {tries_left} 次。"
    en = "The code is not right; {tries_left} tries are left."
    retryable = True


class CodeExpired(Refusal):
    """There is no code in force: never sent, too old, used, or tried too often."""

    code = "CODE_EXPIRED"
    zh = "验证码已失效，请重新获取。"
    en = "The code is no longer valid. Ask for a new one."


class PhoneNotRegistered(Refusal):
    """The code was right, but nobody has registered with this phone."""

    code = "PHONE_NOT_REGISTERED"
    zh = "这个手机号还没有注册。请先填写昵称和所在地。"
    en = "Nobody has registered with this phone yet. Give a name and an area first."


class PasswordWrong(Refusal):
    """User name or password is wrong; which of them is not said."""

    code = "PASSWORD_WRONG"
    zh = "用户名或密码不对。"
    en = "The user name or the password is not right."
    retryable = True


class SignInLocked(Refusal):
    """Too many failures for this user name or from this address."""

    code = "SIGN_IN_LOCKED"
    zh = "登录失败次数过多，请 {minutes} 分钟后再试，或联系本机构管理员。"
    en = "Too many failed sign-ins. Try again in {minutes} minutes, or ask your organisation's administrator."
    retryable = True


class ApiKeyUnknown(Refusal):
    """The key is not one of ours, or no longer."""

    code = "API_KEY_UNKNOWN"
    zh = "接口密钥无效或已停用。请核对 Authorization 请求头，或请本机构管理员另发一把。"
    en = "The API key is unknown or revoked. Check the Authorization header, or ask your administrator for a new key."


class ApiKeyRevoked(Refusal):
    """A key is revoked once."""

    code = "API_KEY_REVOKED"
    zh = "接口密钥“{name}”已于 {revoked_at} 停用，不必再停。"
    en = "The API key {name} was revoked at {revoked_at} already."


class SmsNotConfigured(Refusal):
    """No gateway for text messages is set."""

    code = "SMS_NOT_CONFIGURED"
    zh = "没有配置短信通道，无法发送验证码。请运维人员设置 TANPUHUI_SMS。"
    en = "No SMS gateway is configured, so no code can be sent. The operator sets TANPUHUI_SMS."


def normal_phone(text: str) -> str:
    """Return a mainland mobile number as 11 digits, without spaces, hyphens or +86.

    Raises Invalid. Pattern 1[3-9] and nine digits: research/policy.md section 6.5, general knowledge, high.
    """
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(\+86|0086)", "", digits)
    if _MOBILE.fullmatch(digits) is None:
        raise Invalid(
            field="phone", why="手机号应为 11 位数字，以 13 至 19 开头 / 11 digits that begin with 13 to 19"
        )
    return digits


def masked_phone(phone: str) -> str:
    """Return a phone number with its middle four digits hidden."""
    return f"{phone[:3]}****{phone[-4:]}"


def shared_area(one: str, other: str) -> str | None:
    """Return what two areas have in common: the inner one where one lies in the other, else None."""
    if area_covers(one, other):
        return other
    return one if area_covers(other, one) else None


def check_area(area: str) -> None:
    """Refuse an area that is not a GB/T 2260 code of six digits. Raises Invalid."""
    if _AREA.fullmatch(area) is None:
        raise Invalid(field="area", why=f"{area!r} 不是六位区划代码 / is not a six-digit area code")


def check_name(name: str, *, field: str) -> None:
    """Refuse a name that is empty or longer than 200 characters. Raises Invalid."""
    if not name.strip() or len(name) > 200:
        raise Invalid(field=field, why="应为 1 至 200 个字符 / 1 to 200 characters")


def check_role(role: Role, *, kind: OrganisationKind) -> None:
    """Refuse a role that this kind of organisation cannot give. Raises RoleNotOfKind."""
    if role not in ROLES_OF_KIND[kind]:
        raise RoleNotOfKind(kind=kind.value, role=role.value)
