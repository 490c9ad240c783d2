"""WeChat (微信网页授权): a code for an openid, or for the unionid where several of the operator's accounts belong together.

OAuth 2 in WeChat's own words: `appid` and `secret` as parameters, no ID token, errors as `errcode` with status 200.
Settings: app_id, app_secret; optional subject (openid or unionid), page and token_address, whose defaults are WeChat's
own (general knowledge, high; to be confirmed when the account is opened), scope. WeChat vouches for no phone and no name.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

from tanpuhui.foundation.identity.adapters.outward import get_json, safe_address, untrusted
from tanpuhui.foundation.identity.adapters.settled import settled
from tanpuhui.foundation.identity.domain.federation import (
    CameBack,
    FederationDeclined,
    FederationMisconfigured,
    VerifiedIdentity,
)

PAGE = "https://open.weixin.qq.com/connect/oauth2/authorize"
TOKEN_ADDRESS = "https://api.weixin.qq.com/sns/oauth2/access_token"  # noqa: S105  an address, no secret


class WeChat:
    """One official account or web application."""

    def __init__(self, way: str, told: Mapping[str, str]) -> None:
        self._way = way
        self._set = settled(
            way,
            told,
            wanted=("app_id", "app_secret"),
            optional={
                "subject": "openid",
                "page": PAGE,
                "token_address": TOKEN_ADDRESS,
                "scope": "snsapi_base",
            },
        )
        if self._set["subject"] not in {"openid", "unionid"}:
            raise FederationMisconfigured(why=f"{way}: subject 应为 openid 或 unionid / is openid or unionid")

    def begin(self, *, state: str, return_address: str) -> tuple[str, Mapping[str, str]]:
        """Return WeChat's page; nothing but the state is kept."""
        asked = {
            "appid": self._set["app_id"],
            "redirect_uri": return_address,
            "response_type": "code",
            "scope": self._set["scope"],
            "state": state,
        }
        return f"{safe_address(self._set['page'])}?{urllib.parse.urlencode(asked)}#wechat_redirect", {}

    def complete(self, back: CameBack) -> VerifiedIdentity:
        """Exchange the code; it serves once. Raises FederationDeclined, FederationUntrusted, FederationUnreachable."""
        if not back.brought.get("code"):
            raise FederationDeclined(why="no code")
        told = get_json(
            self._set["token_address"],
            {
                "appid": self._set["app_id"],
                "secret": self._set["app_secret"],
                "code": back.brought["code"],
                "grant_type": "authorization_code",
            },
        )
        if told.get("errcode"):
            raise FederationDeclined(why=f"errcode {told['errcode']}")
        subject = told.get(self._set["subject"])
        if not isinstance(subject, str) or not subject:
            raise untrusted(f"WeChat's answer has no {self._set['subject']}")
        # An openid means somebody within one account only, a unionid within all accounts of one operator.
        realm = self._set["app_id"] if self._set["subject"] == "openid" else "unionid"
        return VerifiedIdentity(way=self._way, issuer=f"wechat:{realm}", subject=subject)
