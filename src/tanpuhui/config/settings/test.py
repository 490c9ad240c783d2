"""Tests: a throwaway database, a throwaway data folder, quick password hashes, test parameters allowed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TANPUHUI_DATA_DIR", str(Path(tempfile.gettempdir()) / f"tanpuhui-test-{os.getuid()}"))

from tanpuhui.config.settings.base import *  # noqa: F403
from tanpuhui.config.settings.base import DATABASES

SECRET_KEY = "only-for-tests"  # noqa: S105  a secret that guards nothing
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TANPUHUI_ALLOW_TEST_PARAMETERS = True
TANPUHUI_DEMO = True
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("TEST_DB_NAME", "test_tanpuhui")}
DATABASES["default"]["CONN_MAX_AGE"] = 0
