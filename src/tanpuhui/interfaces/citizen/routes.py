"""The permission table of this face: every address by name, and who may open it."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.interfaces.access.domain import PUBLIC, RouteRule, only

_CITIZEN = only(Role.CITIZEN)

ROUTES: Mapping[str, RouteRule] = {
    "home": _CITIZEN,
    "open-account": _CITIZEN,
    "admissions": _CITIZEN,
    "admission": _CITIZEN,
    "decline-admission": _CITIZEN,
    "freeze": _CITIZEN,
    "records": _CITIZEN,
    "record": _CITIZEN,
    "appeal-taken-back": _CITIZEN,
    "appeal-not-counted": _CITIZEN,
    "disown": _CITIZEN,
    "disowning": _CITIZEN,
    "appeals": _CITIZEN,
    "appeal": _CITIZEN,
    "case": _CITIZEN,
    "line": _CITIZEN,
    "statement-file": _CITIZEN,
    "points": _CITIZEN,
    "pools": _CITIZEN,
    "pool-proof": _CITIZEN,
    "scenes": _CITIZEN,
    "scene": _CITIZEN,
    "give-consent": _CITIZEN,
    "withdraw-consent": _CITIZEN,
    "erase-traces": _CITIZEN,
    "mall": _CITIZEN,
    "good": _CITIZEN,
    "redeem": _CITIZEN,
    "coupons": _CITIZEN,
    "coupon": _CITIZEN,
    "cancel-coupon": _CITIZEN,
    "me": _CITIZEN,
    "own-data": _CITIZEN,
    "own-copy": _CITIZEN,
    "close-account": _CITIZEN,
    "stay": _CITIZEN,
    "unbind": _CITIZEN,
    "end-sessions": _CITIZEN,
    "messages": _CITIZEN,
    "manifest": PUBLIC,
}
"""Addresses of this face. Browsers fetch the manifest without a session, and it says nothing about anybody."""
