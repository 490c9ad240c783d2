"""What somebody must say to bring an organisation in (机构入驻): pure checks and their refusals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tanpuhui.foundation.identity.domain import (
    ROLES_OF_KIND,
    SCHEME_BODIES,
    OrganisationKind,
    check_area,
    check_name,
    check_role,
    normal_phone,
)
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import Invalid, Refusal
from tanpuhui.foundation.kernel.identifiers import is_uscc

PEOPLE_MAX = 5
INVITATION_DIGITS = 8
INVITATION_VALID = timedelta(hours=72)
INVITATION_TRIES_MAX = 5
APPLICATIONS_RUNNING_MAX = 5
"""What one person may have before the centre at once, so that nobody floods it."""

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{3,39}", re.ASCII)


class ApplicationRuns(Refusal):
    """One organisation, one running application."""

    code = "APPLICATION_RUNS"
    zh = "统一社会信用代码 {uscc} 已有在办的入驻申请。如果不是您提交的，请联系该机构或运营中心。"
    en = "An application for the social credit code {uscc} is being decided. If it is not yours, ask that organisation or the centre."


class TooManyApplications(Refusal):
    """One person brings in a few organisations at a time."""

    code = "TOO_MANY_APPLICATIONS"
    zh = "您已有 {n} 份在办的入驻申请。请等其中一份办结后再提交。"
    en = "You have {n} applications running. Wait until one of them is decided."


class ApplicationClosed(Refusal):
    """An application that was decided does not change any more."""

    code = "APPLICATION_CLOSED"
    zh = "这份入驻申请已经办结，不能再修改。"
    en = "This application was decided and does not change any more."


class ContractTaken(Refusal):
    """A contract is recorded once."""

    code = "CONTRACT_TAKEN"
    zh = "该机构已有编号为 {number} 的合同。"
    en = "This organisation has a contract with the number {number} already."


class ContractOver(Refusal):
    """The partner's contract is not in force, so its key opens nothing."""

    code = "CONTRACT_OVER"
    zh = "机构的合同不在有效期内，接口暂停使用。请与运营中心续签。"
    en = "The organisation's contract is not in force, so the API is closed to it. Renew it with the centre."


class InvitationWrong(Refusal):
    """User name or activation code is wrong; which of them is not said."""

    code = "INVITATION_WRONG"
    zh = "用户名或激活码不对，还可以试 {tries_left} 次。"
    en = "The user name or the activation code is not right; {tries_left} tries are left."
    retryable = True


class InvitationExpired(Refusal):
    """There is no activation code in force: too old, used, or tried too often."""

    code = "INVITATION_EXPIRED"
    zh = "激活码已失效。请本机构管理员或运营中心重新发送。"
    en = "The activation code is no longer valid. Ask your organisation's administrator or the centre to send another."


class AlreadyActivated(Refusal):
    """A person who has set a password needs no activation code."""

    code = "ALREADY_ACTIVATED"
    zh = "{username} 已经设置过密码，不需要激活码。忘了密码请由安全管理员处理。"
    en = "{username} has set a password and needs no activation code. A forgotten one is for the security administrator."


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisedPerson:
    """Somebody who will sign in for the organisation (授权人员); their phone receives the activation code."""

    name: str
    phone: str
    username: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationFacts:
    """What an application says: the organisation, its people, and the contract with its first and last day."""

    kind: OrganisationKind
    name: str
    name_en: str
    uscc: str
    area: str
    contract_number: str
    contract_from: date
    contract_to: date
    people: tuple[AuthorisedPerson, ...]


def checked_facts(facts: OrganisationFacts) -> OrganisationFacts:
    """Return the facts with normal phones and names, or refuse the first that is wrong.

    Raises Invalid, RoleNotOfKind. The code is checked by GB 32100, letters in front included.
    """
    if facts.kind is OrganisationKind.CENTRE:
        raise Invalid(field="kind", why="运营中心不通过入驻设立 / the centre is not set up by an application")
    check_name(facts.name, field="name")
    check_name(facts.name_en, field="name_en")
    check_area(facts.area)
    uscc = facts.uscc.strip().upper()
    check_uscc(uscc)
    check_name(facts.contract_number, field="contract_number")
    if facts.contract_to < facts.contract_from:
        raise Invalid(field="contract_to", why="合同止日不能早于起日 / the contract ends before it begins")
    return OrganisationFacts(
        kind=facts.kind,
        name=facts.name.strip(),
        name_en=facts.name_en.strip(),
        uscc=uscc,
        area=facts.area,
        contract_number=facts.contract_number.strip(),
        contract_from=facts.contract_from,
        contract_to=facts.contract_to,
        people=_checked_people(facts.kind, facts.people),
    )


def check_uscc(uscc: str) -> None:
    """Refuse a code that fails GB 32100. Raises Invalid."""
    if not is_uscc(uscc):
        raise Invalid(field="uscc", why=f"{uscc!r} 的校验位不符 GB 32100 / fails the checks of GB 32100")


def check_username(username: str) -> str:
    """Return a user name in small letters. Raises Invalid."""
    name = username.strip().lower()
    if _USERNAME.fullmatch(name) is None:
        raise Invalid(
            field="username",
            why="用户名为 4 至 40 个字符，以字母开头，只用小写字母、数字和 . _ - / 4 to 40 of a-z, 0-9, . _ -, beginning with a letter",
        )
    return name


def _checked_people(
    kind: OrganisationKind, people: Sequence[AuthorisedPerson]
) -> tuple[AuthorisedPerson, ...]:
    if not 1 <= len(people) <= PEOPLE_MAX:
        raise Invalid(
            field="people", why=f"请填写 1 至 {PEOPLE_MAX} 位授权人员 / name 1 to {PEOPLE_MAX} people"
        )
    found = []
    for person in people:
        check_name(person.name, field="person_name")
        for role in person.roles:
            check_role(role, kind=kind)
        found.append(
            AuthorisedPerson(
                name=person.name.strip(),
                phone=normal_phone(person.phone),
                username=check_username(person.username),
                roles=tuple(dict.fromkeys(person.roles)),
            )
        )
    for field in ("phone", "username"):
        if len({getattr(person, field) for person in found}) < len(found):
            raise Invalid(field=field, why="两位授权人员不能相同 / two people cannot share it")
    roles = {role for person in found for role in person.roles}
    if kind in SCHEME_BODIES:
        if roles:
            raise Invalid(
                field="roles",
                why="管理部门和分中心的角色由安全管理员授予 / the security administrator gives these roles",
            )
    elif Role.ADMINISTRATOR not in roles or not roles & (ROLES_OF_KIND[kind] - {Role.ADMINISTRATOR}):
        raise Invalid(
            field="roles",
            why="须有一位机构管理员和一位业务人员，可以是同一人 / name an administrator and somebody who does the work; one person may be both",
        )
    return tuple(found)
