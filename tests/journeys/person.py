"""Somebody with a browser of their own: signs in, looks, clicks; what goes wrong on the way is kept and fails the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Response,
    StorageState,
    WebError,
)
from tests.journeys.place import ROOT, Place

DESKTOP = (1440, 900)
PHONE = (390, 844)
SIZES = {DESKTOP: "desktop", PHONE: "phone"}
PICTURES = ROOT / "test-output" / "journeys"
CODE = re.compile(r"\b(\d{6})\b")
FAILED_RESOURCE = "Failed to load resource"
"""What Chromium says of every answer from 400 on; those are judged by their status instead."""

LAID_OUT = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Ends when the page has been laid out for its new size."""


class Person:
    """Somebody who belongs there, or a stranger, with their own cookies.

    `faults` collects console errors, refused content, script errors and answers that nobody expected.
    """

    def __init__(
        self,
        browser: Browser,
        place: Place,
        name: str,
        *,
        phone: bool = False,
        language: str = "zh-CN",
        pictures: Path = PICTURES,
        session: StorageState | None = None,
    ) -> None:
        self.name = name
        self.place = place
        self.size = PHONE if phone else DESKTOP
        self.faults: list[str] = []
        self._expected: set[int] = set()
        self._pictures = pictures
        self.context = browser.new_context(
            base_url=place.url,
            viewport={"width": self.size[0], "height": self.size[1]},
            locale=language,
            storage_state=session,
        )
        self.context.set_default_timeout(20_000)
        self.context.on("console", self._on_console)
        self.context.on("weberror", self._on_error)
        self.context.on("response", self._on_response)
        self.page: Page = self.context.new_page()

    def __enter__(self) -> Person:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if kind is not None:
            try:
                self.picture("zz-where-it-stopped", self.size, "end")
            except Error:
                self.faults.append("no picture could be taken of where it stopped")
        self.context.close()
        if kind is None:
            assert not self.faults, f"{self.name}: " + "\n".join(self.faults)
        elif error is not None and self.faults:
            error.add_note(f"{self.name} met before: " + "\n".join(self.faults))
        return False

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(FAILED_RESOURCE):
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and response.status not in self._expected):
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Let one kind of refusal pass while something is tried that must be refused."""
        self._expected.add(status)
        try:
            yield
        finally:
            self._expected.discard(status)

    def sign_in(self, username: str) -> None:
        """Sign in for an organisation through the pages that everybody uses, with the code that the demonstration shows."""
        self.page.goto("/sign-in")
        self.page.locator("#username").fill(username)
        self.page.locator("#password").fill(self.place.password)
        self.page.locator("#organisation form:not([data-passkey]) button[type=submit]").click()
        self.page.wait_for_url("**/sign-in/second-factor")
        shown = self.page.locator("#demonstration-code")
        while not shown.count():
            # This and the next code were used a moment ago; each serves once.
            self.page.wait_for_timeout(2_000)
            self.page.reload()
        self.page.locator("#code").fill(shown.inner_text())
        self.page.locator("form:has(#code) button[type=submit]").click()
        self.page.wait_for_url("**/w/")

    def sign_in_by_phone(self, phone: str) -> None:
        """Sign in as a citizen: ask for a code, read it where the demonstration writes it, type it."""
        self.page.goto("/sign-in")
        self.page.locator("#phone").fill(phone)
        self.page.locator("#citizen button[type=submit]").click()
        self.page.locator("#code").wait_for()
        sent = [line for line in self.place.outbox.read_text("utf-8").splitlines() if phone in line][-1]
        found = CODE.search(sent.split("\t")[-1])
        assert found is not None, sent
        self.page.locator("#code").fill(found[1])
        self.page.locator("#citizen button[type=submit]").click()
        self.page.wait_for_url("**/m/**")

    def open(self, address: str) -> None:
        self.page.goto(address)

    def press(self, words: str) -> None:
        """Press the button or link with these words, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.control(words).click()

    def control(self, words: str) -> Locator:
        """Return the button, or the link in a table, that says these words."""
        controls = self.page.locator("a.btn:visible, button.btn:visible, main td a:visible")
        return controls.filter(has_text=words).first

    def reads(self, *words: str) -> str:
        """Return what the page says, spaces put together; fail where it lacks one of these words."""
        said = " ".join(self.page.locator("body").inner_text().split())
        missing = [one for one in words if one not in said]
        assert not missing, f"{self.name} does not read {missing} at {self.page.url}:\n{said}"
        return said

    def shot(self, name: str) -> None:
        """Take the page as a picture, on a desk and on a phone."""
        for size, device in SIZES.items():
            self.picture(name, size, device)
        self.resize(self.size)

    def picture(self, name: str, size: tuple[int, int], device: str) -> None:
        """Take the whole page as a picture at one size; it stays at that width."""
        self.resize(size)
        # Bars that stay at the bottom of the screen would lie across the middle of a long picture.
        height = int(self.page.evaluate("document.documentElement.scrollHeight"))
        self.resize((size[0], max(size[1], height)))
        # Hiding the caret or stopping animations would set inline styles, which our own policy refuses.
        self.page.screenshot(path=self._pictures / f"{name}-{device}.png", full_page=True, caret="initial")

    def resize(self, size: tuple[int, int]) -> None:
        """Give the page this width and height, and wait until it is laid out for them."""
        width, height = size
        if self.page.viewport_size != {"width": width, "height": height}:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate(LAID_OUT)
