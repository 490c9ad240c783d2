"""Where a person goes with a browser: an address, and what its people need to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A platform that answers at `url`; `data` is its data folder, `password` that of everybody in an organisation."""

    url: str
    data: Path
    password: str

    @property
    def outbox(self) -> Path:
        """The file to which citizens' codes are written."""
        return self.data / "outbox" / "sms.log"
