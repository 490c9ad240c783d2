"""What set-up says to the person in front of it: Chinese first, English below, one sentence each."""

from __future__ import annotations

import sys
import time

_STARTED = time.monotonic()


class SetupRefusal(Exception):
    """Set-up cannot go on; both sentences say what happened and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh = zh
        self.en = en
        super().__init__(en)

    def show(self) -> None:
        """Write both sentences to standard error."""
        sys.stdout.flush()
        sys.stderr.write(f"{self.zh}\n{self.en}\n")
        sys.stderr.flush()


def say(zh: str, en: str) -> None:
    """Report progress with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:5.1f} s] {zh} / {en}", flush=True)
