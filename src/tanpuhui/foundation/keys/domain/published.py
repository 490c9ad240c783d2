"""The published key set (公开密钥集): the only thing, besides the certificate, that a stranger needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tanpuhui.foundation.keys.domain.signatures import SIGNATURE_ALGORITHMS, is_public_key

KEY_SET_FORMAT = "tanpuhui-keys/1"

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII)
_HEX = re.compile(r"([0-9a-f]{2})+", re.ASCII)
_FIELDS = {"key_id", "algorithm", "public_key", "valid_from", "valid_to"}


class KeySetUnreadable(ValueError):
    """The key set is not what `/keys` publishes."""


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One public key and when its signatures count; None means without that limit. Times are RFC 3339 in UTC."""

    key_id: str
    algorithm: str
    public_key: str
    valid_from: str | None
    valid_to: str | None

    def covers(self, instant: str) -> bool:
        """Say whether the key was in use at this instant (from inclusive, to exclusive), given as `…Z` text."""
        begins = self.valid_from is None or _comparable(self.valid_from) <= _comparable(instant)
        return begins and (self.valid_to is None or _comparable(instant) < _comparable(self.valid_to))

    def as_dict(self) -> dict[str, str | None]:
        """Return the published entry."""
        return {
            "key_id": self.key_id,
            "algorithm": self.algorithm,
            "public_key": self.public_key,
            "valid_from": self.valid_from,
            "valid_to": self.valid_to,
        }


def parse_key_set(data: bytes) -> dict[str, PublishedKey]:
    """Read a published key set strictly and return its keys by identifier; raises KeySetUnreadable."""
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_without_repetition)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise KeySetUnreadable("not JSON in UTF-8") from error
    if not isinstance(document, dict) or set(document) != {"format", "keys"}:
        raise KeySetUnreadable("the key set has exactly the members format and keys")
    if document["format"] != KEY_SET_FORMAT or not isinstance(document["keys"], list) or not document["keys"]:
        raise KeySetUnreadable(f"not a non-empty key set of format {KEY_SET_FORMAT}")
    keys: dict[str, PublishedKey] = {}
    for entry in document["keys"]:
        key = _entry(entry)
        if key.key_id in keys:
            raise KeySetUnreadable(f"two keys are named {key.key_id}")
        keys[key.key_id] = key
    return keys


def _entry(entry: object) -> PublishedKey:
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        raise KeySetUnreadable("a key has exactly the members " + ", ".join(sorted(_FIELDS)))
    for name in ("key_id", "algorithm", "public_key"):
        if not isinstance(entry[name], str) or not entry[name]:
            raise KeySetUnreadable(f"{name} is text")
    for name in ("valid_from", "valid_to"):
        if entry[name] is not None and not (isinstance(entry[name], str) and _INSTANT.fullmatch(entry[name])):
            raise KeySetUnreadable(f"{name} is null or a UTC time such as 2026-01-31T00:00:00Z")
    key = PublishedKey(**entry)
    well_formed = _HEX.fullmatch(key.public_key) is not None
    if key.algorithm not in SIGNATURE_ALGORITHMS or not well_formed:
        raise KeySetUnreadable(f"{key.key_id}: unknown algorithm, or the key is not lower-case hexadecimal")
    if not is_public_key(algorithm=key.algorithm, public_key=bytes.fromhex(key.public_key)):
        raise KeySetUnreadable(f"{key.key_id}: these bytes are not a public key of {key.algorithm}")
    return key


def _comparable(instant: str) -> str:
    """Return the instant with its fraction written out, so that text order is time order."""
    return instant if "." in instant else instant.removesuffix("Z") + ".000000Z"


def _without_repetition(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in pairs:
        if name in result:
            message = f"the member {name} stands twice"
            raise ValueError(message)
        result[name] = value
    return result
