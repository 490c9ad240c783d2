"""A government sign-in by ticket (统一身份认证票据): signature, login page, ticket for token, token for user.

The order of steps is that of DB37/T 3448 part 8 (draft seen; research/policy.md section 6.4 [S60]). Its addresses, the
names of its fields and its codes come only with onboarding: NOT ESTABLISHED. So each of them is a setting without a
default, and nothing here guesses one. `page` is opened in the browser; the three other addresses are called from here.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from tanpuhui.foundation.identity.adapters.outward import post_form, safe_address, untrusted
from tanpuhui.foundation.identity.adapters.settled import settled
from tanpuhui.foundation.identity.domain.federation import CameBack, FederationDeclined, VerifiedIdentity

WANTED = (
    "issuer", "app_id", "app_secret", "page", "signature_address", "token_address", "user_address",
    "name_app_id", "name_app_secret", "name_signature", "name_return", "name_ticket", "name_token", "name_result",
    "result_good", "name_data", "name_subject", "name_account_kind", "account_kind_person",
)  # fmt: skip
OPTIONAL = {"name_level": "", "name_phone": ""}


class GovernmentTicket:
    """One government platform that signs its people in by tickets."""

    def __init__(self, way: str, told: Mapping[str, str]) -> None:
        self._way = way
        self._set = settled(way, told, wanted=WANTED, optional=OPTIONAL)

    def begin(self, *, state: str, return_address: str) -> tuple[str, Mapping[str, str]]:
        """Return the platform's page, with a signature that is fetched for it and kept for the exchange."""
        signature = self._text(
            self._call(
                "signature_address",
                {"name_app_id": self._set["app_id"], "name_app_secret": self._set["app_secret"]},
            ),
            "name_signature",
        )
        # Whether the platform carries a state through is not known; as part of the return address it comes back in any case.
        back = f"{return_address}?{urllib.parse.urlencode({'state': state})}"
        asked = {
            self._set["name_app_id"]: self._set["app_id"],
            self._set["name_signature"]: signature,
            self._set["name_return"]: back,
        }
        return f"{safe_address(self._set['page'])}?{urllib.parse.urlencode(asked)}", {"signature": signature}

    def complete(self, back: CameBack) -> VerifiedIdentity:
        """Exchange the ticket for a token and the token for the person. A legal person's account is declined.

        Raises FederationDeclined, FederationUntrusted, FederationUnreachable.
        """
        ticket = back.brought.get(self._set["name_ticket"], "")
        if not ticket:
            raise FederationDeclined(why="no ticket")
        token = self._text(
            self._call(
                "token_address",
                {
                    "name_app_id": self._set["app_id"],
                    "name_signature": back.kept["signature"],
                    "name_ticket": ticket,
                },
            ),
            "name_token",
        )
        user = self._call("user_address", {"name_token": token})
        if self._text(user, "name_account_kind") != self._set["account_kind_person"]:
            raise FederationDeclined(why="法人账号 / an account of a legal person")
        return VerifiedIdentity(
            way=self._way,
            issuer=self._set["issuer"],
            subject=self._text(user, "name_subject"),
            real_name_level=self._maybe(user, "name_level"),
            phone=self._maybe(user, "name_phone"),
        )

    def _call(self, address: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Call one of the platform's addresses, and return the data of a good answer."""
        told = post_form(self._set[address], {self._set[name]: value for name, value in form.items()})
        result = str(told.get(self._set["name_result"], ""))
        if result != self._set["result_good"]:
            raise FederationDeclined(why=f"{self._set['name_result']} {result[:20]}")
        data = told.get(self._set["name_data"])
        if not isinstance(data, dict):
            raise untrusted(f"{address}: no {self._set['name_data']}")
        return data

    def _text(self, data: Mapping[str, Any], name: str) -> str:
        found = data.get(self._set[name])
        if not isinstance(found, str | int) or not str(found):
            raise untrusted(f"the answer lacks {self._set[name]}")
        return str(found)

    def _maybe(self, data: Mapping[str, Any], name: str) -> str:
        return str(data.get(self._set[name], "")) if self._set[name] else ""
