"""Other sign-ins behind one port (联合登录端口), and which of them the operator has set up.

`TANPUHUI_FEDERATION` names a YAML file outside the repository, readable by the service only, since it holds secrets:

    ways:
      - {key: wechat, adapter: wechat, label_zh: 微信, label_en: WeChat, …}

What each adapter wants is said in its module. Unset, there is no other way than phone and password.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from django.conf import settings

from tanpuhui.foundation.identity.adapters.oidc import OpenIdConnect
from tanpuhui.foundation.identity.adapters.ticket import GovernmentTicket
from tanpuhui.foundation.identity.adapters.wechat import WeChat
from tanpuhui.foundation.identity.domain.federation import (
    CameBack,
    FederationMisconfigured,
    FederationStale,
    FederationUnknown,
    VerifiedIdentity,
)

STATE_BYTES = 32


class Federation(Protocol):
    """Somebody else's sign-in."""

    def begin(self, *, state: str, return_address: str) -> tuple[str, Mapping[str, str]]:
        """Return the address to send the browser to, and what must be kept on our side until it comes back."""
        ...

    def complete(self, back: CameBack) -> VerifiedIdentity:
        """Return who somebody is by what their browser brought back. Raises a refusal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A configured way: its key in addresses, and its name on the sign-in page."""

    key: str
    label_zh: str
    label_en: str
    federation: Federation


_ADAPTERS: Mapping[str, Callable[[str, Mapping[str, str]], Federation]] = {
    "oidc": OpenIdConnect,
    "wechat": WeChat,
    "ticket": GovernmentTicket,
}


def ways() -> tuple[Way, ...]:
    """Return the ways that are set up, in the file's order. Raises FederationMisconfigured."""
    name = settings.TANPUHUI_FEDERATION
    if not name:
        return ()
    try:
        told = yaml.load(Path(name).read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  the base loader makes text only
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FederationMisconfigured(why=f"{type(error).__name__}") from error
    rows = told.get("ways") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise FederationMisconfigured(why="缺 ways / `ways` is missing")
    found = tuple(_way(row) for row in rows)
    if len({way.key for way in found}) != len(found):
        raise FederationMisconfigured(why="key 重复 / two ways have one key")
    return found


def way_of(key: str) -> Way:
    """Return one configured way. Raises FederationUnknown, FederationMisconfigured."""
    for way in ways():
        if way.key == key:
            return way
    raise FederationUnknown(way=key)


def new_state() -> str:
    """Return the secret by which an answer is known to belong to a sign-in that began in this browser."""
    return secrets.token_urlsafe(STATE_BYTES)


def check_state(back: CameBack) -> None:
    """Refuse an answer to another question. Raises FederationStale."""
    kept, brought = back.kept.get("state", ""), back.brought.get("state", "")
    if not kept or not hmac.compare_digest(kept.encode(), brought.encode()):
        raise FederationStale


def _way(row: Any) -> Way:
    if not isinstance(row, dict):
        raise FederationMisconfigured(why="ways 的每一项应是键值 / each way is a mapping")
    own = dict(row)
    try:
        key, adapter = own.pop("key"), own.pop("adapter")
        label_zh, label_en = own.pop("label_zh"), own.pop("label_en")
    except KeyError as missing:
        raise FederationMisconfigured(why=f"缺 / missing: {missing}") from missing
    maker = _ADAPTERS.get(adapter)
    if maker is None or not key.isidentifier() or not key.isascii():
        raise FederationMisconfigured(why=f"{key}: {adapter}")
    return Way(key=key, label_zh=label_zh, label_en=label_en, federation=maker(key, own))
