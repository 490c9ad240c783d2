"""Calls to other sign-in services: a few JSON answers over HTTPS, with limits, without following anybody elsewhere."""

from __future__ import annotations

import ipaddress
import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from tanpuhui.foundation.identity.domain.federation import (
    FederationMisconfigured,
    FederationUnreachable,
    FederationUntrusted,
)

log = logging.getLogger(__name__)
SECONDS_MAX = 10
BYTES_MAX = 256 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that sends us elsewhere is no answer: secrets go to the configured address only."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nobody."""


_outward = urllib.request.build_opener(_NoRedirect)
_here = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
"""A service on this machine is called without the proxy that leads out of the house."""


def get_json(address: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object at an address. Raises FederationUnreachable, FederationUntrusted."""
    asked = f"{address}?{urllib.parse.urlencode(query)}" if query else address
    return _answer(urllib.request.Request(safe_address(asked)))  # noqa: S310  the scheme was checked


def post_form(
    address: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Post a form and return the JSON object that is answered. Raises FederationUnreachable, FederationUntrusted."""
    body = urllib.parse.urlencode(form).encode()
    return _answer(urllib.request.Request(safe_address(address), data=body, headers=dict(headers or {})))  # noqa: S310  the scheme was checked


def safe_address(address: str) -> str:
    """Return an address that secrets may be sent to: HTTPS, or HTTP on this machine. Raises FederationMisconfigured."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return address
    raise FederationMisconfigured(why=f"{parts.scheme}://{parts.netloc} 不是 https / is not https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    parts = urllib.parse.urlsplit(request.full_url)
    host, opener = parts.netloc, _here if _is_loopback(parts.hostname or "") else _outward
    try:
        with opener.open(request, timeout=SECONDS_MAX) as answer:
            body = answer.read(BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        # A service that refuses says why in the body of the error, as OAuth prescribes (RFC 6749 section 5.2).
        body = error.read(BYTES_MAX + 1)
        if error.code >= 500 or not body.lstrip().startswith(b"{"):
            log.warning("%s answered %s", host, error.code)
            raise FederationUnreachable from error
    except (OSError, HTTPException) as error:
        log.warning("%s cannot be reached: %s", host, type(error).__name__)
        raise FederationUnreachable from error
    if len(body) > BYTES_MAX:
        raise untrusted(f"{host} answers more than {BYTES_MAX} bytes")
    try:
        told = json.loads(body)
    except ValueError as error:
        raise untrusted(f"{host} answers no JSON") from error
    if not isinstance(told, dict):
        raise untrusted(f"{host} answers no JSON object")
    return told


def untrusted(why: str) -> FederationUntrusted:
    """Return the refusal of an answer that does not verify; the reason goes to the log, never to the browser."""
    log.warning("sign-in elsewhere not trusted: %s", why)
    return FederationUntrusted()
