"""The permission table of this face: every address by name, and who may open it."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.interfaces.access.domain import PUBLIC, SIGNED_IN, RouteRule, only

ROUTES: Mapping[str, RouteRule] = {
    "home": PUBLIC,
    "methodologies": PUBLIC,
    "methodology": PUBLIC,
    "methodology-archive": PUBLIC,
    "methodology-difference": PUBLIC,
    "methodology-review": PUBLIC,
    "experts": PUBLIC,
    "scenarios": PUBLIC,
    "scenario": PUBLIC,
    "notices": PUBLIC,
    "notice": PUBLIC,
    "notice-file": PUBLIC,
    "notice-feed": PUBLIC,
    "notice-comment": SIGNED_IN,
    "my-comments": SIGNED_IN,
    "withdraw-comment": SIGNED_IN,
    "register": PUBLIC,
    "issuance": PUBLIC,
    "serial": PUBLIC,
    "certificate": PUBLIC,
    "certificate-json": PUBLIC,
    "certificate-pdf": PUBLIC,
    "verify": PUBLIC,
    "log": PUBLIC,
    "log-head": PUBLIC,
    "log-head-at": PUBLIC,
    "log-inclusion": PUBLIC,
    "log-consistency": PUBLIC,
    "keys": PUBLIC,
    "key-page": PUBLIC,
    "coupon": PUBLIC,
    "sign-in": PUBLIC,
    "sign-in-code": PUBLIC,
    "sign-in-citizen": PUBLIC,
    "sign-in-organisation": PUBLIC,
    "register-citizen": PUBLIC,
    # Between password and session nobody is signed in; the views ask the session store who waits there.
    **dict.fromkeys(
        (
            "sign-in-with",
            "sign-in-return",
            "second-factor",
            "recovery-code",
            "new-password",
            "sign-in-passkey",
            "sign-in-passkey-options",
            "enrol",
            "enrol-new",
            "enrol-code",
            "enrol-passkey",
            "enrol-passkey-options",
        ),
        PUBLIC,
    ),
    "onboarding": PUBLIC,
    "onboarding-apply": only(Role.CITIZEN),
    "onboarding-application": only(Role.CITIZEN),
    "activate": PUBLIC,
    "sign-out": PUBLIC,
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "guide": PUBLIC,
    "about": PUBLIC,
}
