"""Text messages behind a port (短信端口): to a file, to the console; a gateway is one more class.

`TANPUHUI_SMS` names the one in use: `file`, `console`, or the dotted path of a class. Unset, the demonstration
writes to a file and everything else refuses, so that a production system never leaves codes in a file unasked.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from tanpuhui.foundation.identity.domain import SmsNotConfigured

OUTBOX = Path("outbox", "sms.log")


class SmsPort(Protocol):
    """Whoever can send one text message to one mainland mobile number."""

    def send(self, *, phone: str, text: str, at: datetime) -> None:
        """Hand the message over; an exception means that it was not taken."""
        ...


class FileSms:
    """Appends each message as one line to `TANPUHUI_DATA_DIR/outbox/sms.log`: time, phone, text."""

    def send(self, *, phone: str, text: str, at: datetime) -> None:
        """Append one line; the file can be read by its owner only."""
        path = Path(settings.TANPUHUI_DATA_DIR) / OUTBOX
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as outbox:
            outbox.write(f"{at.isoformat(timespec='seconds')}\t{phone}\t{text}\n")


class ConsoleSms:
    """Writes each message to standard error."""

    def send(self, *, phone: str, text: str, at: datetime) -> None:
        """Write one line."""
        sys.stderr.write(f"{at.isoformat(timespec='seconds')}\t{phone}\t{text}\n")


def forget_texts(phone: str) -> None:
    """Take a number's messages out of the demonstration's file; what a gateway keeps is the gateway operator's to delete."""
    path = Path(settings.TANPUHUI_DATA_DIR) / OUTBOX
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if phone not in line]
    if len(kept) == len(lines):
        return
    # A message that is written at this very moment may be lost; nobody but the demonstration writes here.
    fresh = path.with_name("sms.log.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as outbox:
        outbox.writelines(kept)
    fresh.replace(path)


def sms_configured() -> bool:
    """Say whether text messages can leave at all."""
    return bool(_name())


def sms_port() -> SmsPort:
    """Return the port that the settings name; raises SmsNotConfigured."""
    name = _name()
    if name == "file":
        return FileSms()
    if name == "console":
        return ConsoleSms()
    if not name:
        raise SmsNotConfigured
    port: SmsPort = import_string(name)()
    return port


def _name() -> str:
    return settings.TANPUHUI_SMS or ("file" if settings.TANPUHUI_DEMO else "")
