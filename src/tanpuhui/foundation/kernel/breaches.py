"""What an invariant found broken (不变量)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breach:
    """One fact that should never be: which invariant, about what, and the two values that disagree."""

    invariant: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}  {self.subject}  {self.detail}"
