"""Signing in through somebody else's sign-in (联合登录): what they vouch for, and why it is not taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tanpuhui.foundation.kernel.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedIdentity:
    """Who somebody is at another place: verified, not yet known here.

    `real_name_level` is that place's own word for how well it checked the person, empty where it says nothing.
    `phone` is empty unless that place vouches for it.
    """

    way: str
    issuer: str
    subject: str
    real_name_level: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A browser that comes back from another place: what we kept, what it brings, where to, and the time in seconds."""

    kept: Mapping[str, str]
    brought: Mapping[str, str]
    return_address: str
    now: int


class FederationUnknown(Refusal):
    """Nobody set up such a way of signing in."""

    code = "FEDERATION_UNKNOWN"
    zh = "没有“{way}”这种登录方式。请用手机号登录。"
    en = "There is no sign-in called {way} here. Sign in with your phone."


class FederationMisconfigured(Refusal):
    """The operator's file of other sign-ins cannot be used."""

    code = "FEDERATION_MISCONFIGURED"
    zh = "联合登录的配置有误：{why}。请运维人员改正 TANPUHUI_FEDERATION 指向的文件。"
    en = "The configuration of other sign-ins is wrong: {why}. The operator corrects the file that TANPUHUI_FEDERATION names."


class FederationStale(Refusal):
    """The answer does not belong to a sign-in that began in this browser: another state, used already, or too late."""

    code = "FEDERATION_STALE"
    zh = "这次登录不是从这个浏览器开始的，或者已经用过、过了时间。请重新开始。"
    en = "This sign-in did not begin in this browser, was used already, or took too long. Start again."
    retryable = True


class FederationDeclined(Refusal):
    """The other place did not sign the person in, or the person said no there."""

    code = "FEDERATION_DECLINED"
    zh = "对方没有确认登录（{why}）。可以再试，或用手机号登录。"
    en = "The other side did not confirm the sign-in ({why}). Try again, or sign in with your phone."
    retryable = True


class FederationUntrusted(Refusal):
    """The other place's answer does not verify."""

    code = "FEDERATION_UNTRUSTED"
    zh = "对方的登录应答没有通过核验，不能采用。请用手机号登录，并告诉平台运维人员。"
    en = "The other side's answer did not verify and is not used. Sign in with your phone, and tell the operator."


class FederationUnreachable(Refusal):
    """The other place does not answer, or not in time."""

    code = "FEDERATION_UNREACHABLE"
    zh = "现在连不上对方的登录服务。请过一会儿再试，或用手机号登录。"
    en = "The other sign-in cannot be reached now. Try again later, or sign in with your phone."
    retryable = True


class IdentityTaken(Refusal):
    """One identity elsewhere stands for one person here, and one person has one identity at each place."""

    code = "IDENTITY_TAKEN"
    zh = "这个{way}身份已经绑定另一个账户，或您的账户已经绑定另一个{way}身份。请先在原账户解除绑定。"
    en = "This {way} identity is bound to another account, or your account to another {way} identity. Unbind that one first."


class IdentityNotBound(Refusal):
    """There is no such binding to undo."""

    code = "IDENTITY_NOT_BOUND"
    zh = "没有这个绑定，无需解除。"
    en = "There is no such binding to undo."
