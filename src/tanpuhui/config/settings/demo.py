"""The demonstration on one machine: its own database, plain HTTP on the loopback, data marked as demonstration."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import dj_database_url

from tanpuhui.config.embedded_database import database_url
from tanpuhui.config.settings.base import *  # noqa: F403
from tanpuhui.config.settings.base import DATA_DIR, DATABASES


def _own_secret(folder: Path) -> str:
    """Return this machine's own secret, made at the first start and kept out of the repository."""
    path = folder / "secret-key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text()


if "DATABASE_URL" not in os.environ:
    # A command beside a running demonstration (`tanpuhui invariants`) finds its database without being told.
    DATABASES["default"] |= dj_database_url.parse(database_url(DATA_DIR / "database"))

TANPUHUI_DEMO = True
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
SECRET_KEY = _own_secret(DATA_DIR)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
