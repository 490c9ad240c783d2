"""What every test stands on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from hypothesis import settings

from tanpuhui.config.wiring import install
from tanpuhui.foundation.identity.domain.sign_in import SessionRules
from tanpuhui.foundation.identity.queries.sessions import SESSION_STAMP, session_stamp

# A slow example on a busy machine is no fault of the product: nothing here is judged by the clock.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def now() -> datetime:
    """Give one fixed moment, so that no test depends on the clock."""
    return datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def invented_jurisdiction() -> Path:
    """Give the folder of a jurisdiction that does not exist, so that nothing depends on a real one."""
    return Path(__file__).parent / "jurisdictions" / "huanghai"


@pytest.fixture(autouse=True)
def _own_wiring() -> Iterator[None]:
    """Begin every test with the product's wiring and its own language, whatever an earlier test put in their place."""
    translation.deactivate()
    install()
    yield
    install()


@pytest.fixture(autouse=True)
def _signed_in_as_by_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `force_login` leave what the sign-in page leaves: a session without its own end would be ended at once.

    It lives for years, since tests move the clock; `portal/test_session_life.py` looks at real ones.
    """
    plain = Client.force_login
    years = timedelta(days=3650)
    rules = SessionRules(idle=years, age=years, fresh=years)

    def force_login(self: Client, user: Any, backend: str | None = None) -> None:
        plain(self, user, backend)
        session = self.session
        session[SESSION_STAMP] = session_stamp(rules, at=timezone.now())
        session.set_expiry(int(years.total_seconds()))
        session.save()

    monkeypatch.setattr(Client, "force_login", force_login)
