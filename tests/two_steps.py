"""An organisation's person signs in as everybody does: user name and password, then the code of their authenticator."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.test import Client

SHOWN = re.compile(r'id="demonstration-code">(\d{6})<')


def sign_in(client: Client, username: str, password: str, **more: str) -> HttpResponse:
    """Take both steps; the second code is the one that the demonstration shows for an invented person."""
    first = client.post("/sign-in/organisation", {"username": username, "password": password, **more})
    assert first.headers["Location"] == "/sign-in/second-factor", first.content.decode()
    shown = SHOWN.search(client.get("/sign-in/second-factor").content.decode())
    assert shown is not None
    return client.post("/sign-in/second-factor", {"code": shown[1]})  # type: ignore[return-value]
