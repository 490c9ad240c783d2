"""A browser, and a province of its own for each module: a cloned database, a data folder and a web server on it.

Nothing is flushed: the database is a clone of the migrated template, so append-only triggers stay on and the
server's threads see what the test commits.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connection, connections
from django.test import override_settings
from django.test.testcases import QuietWSGIRequestHandler
from django.utils import timezone
from playwright.sync_api import Browser, sync_playwright
from tests.concurrency.conftest import _clone, _drop, migrated_template
from tests.journeys.place import ROOT, Place

from tanpuhui.config import wiring
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.interfaces.commands.demonstration.cast import read_cast
from tanpuhui.interfaces.commands.demonstration.stage import Stage

__all__ = ["browser", "chromium_path", "migrated_template", "open_province"]

PASSWORD = "only-for-tests-42"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-gpu",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, kw_only=True)
class Province(Place):
    """A province that people reach with a browser, and who is who in it."""

    stage: Stage


OpenProvince = Callable[..., AbstractContextManager[Province]]


def chromium() -> str | None:
    """Return the browser that is named or found, or None."""
    named = os.environ.get("TANPUHUI_CHROMIUM") or os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ((named,) if named else BROWSERS))
    return next((path for path in found if path), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Give the browser's path; where there is none, the journeys are skipped with this one line."""
    path = chromium()
    if path is None:
        pytest.skip("没有 Chromium，跳过浏览器测试。/ No Chromium here: browser tests are skipped.")
    return path


@pytest.fixture(scope="module")
def browser(chromium_path: str, migrated_template: str) -> Iterator[Browser]:
    """Give one Chromium for the journeys of a module.

    While its driver runs, this thread has an event loop, and Django keeps the connections of such a thread apart:
    they are closed on both sides, so that none is left on the template that is cloned.
    """
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The ORM is called beside the driver's loop, never inside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=chromium_path, args=list(ARGUMENTS))
        yield launched
        launched.close()
        connections.close_all()


@pytest.fixture(scope="module")
def open_province(
    browser: Browser,
    migrated_template: str,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    invented_jurisdiction: Path,
) -> OpenProvince:
    """Give what opens a province in which the acts given have been played; it is closed again and leaves nothing."""

    @contextmanager
    def opened(play: Callable[[Stage], None], folder: Path = invented_jurisdiction) -> Iterator[Province]:
        name, data = f"{migrated_template}_clone_{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("journey")
        stage = Stage(
            cast=read_cast(folder),
            folder=folder,
            methodologies=ROOT / "methodologies",
            today=business_day(timezone.now()),
            password=PASSWORD,
        )
        with (
            django_db_blocker.unblock(),
            pytest.MonkeyPatch.context() as patch,
            _cloned(migrated_template, name),
            _served() as url,
            override_settings(
                TANPUHUI_JURISDICTION_DIR=folder,
                TANPUHUI_DATA_DIR=data,
                TANPUHUI_PUBLIC_URL=url,
            ),
        ):
            patch.delenv("TANPUHUI_KEY_RING", raising=False)
            wiring.install()
            play(stage)
            yield Province(url=url, data=data, password=PASSWORD, stage=stage)

    return opened


@contextmanager
def _cloned(template: str, name: str) -> Iterator[None]:
    """Clone the template and point every connection at the clone; drop it at the end."""
    before = connection.settings_dict["NAME"]
    assert before == template, "only the test database is ever cloned"
    connections.close_all()
    with connection._nodb_cursor() as server:
        _clone(server, template, name)
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = before
        with connection._nodb_cursor() as server:
            _drop(server, name)


@contextmanager
def _served() -> Iterator[str]:
    """Serve the whole site, static files included, from a thread on a free port of the loopback."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
