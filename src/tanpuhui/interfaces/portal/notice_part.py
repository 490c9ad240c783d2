"""The shape of what a subject adds to its public notice (公示内容)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tanpuhui.interfaces.design.parts import Crumb, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePart:
    """A subject's own part of its notice: facts, links to its public pages, and a template with what it draws.

    `template` is included on the notice's page with `context` under the name `part`. Whatever stands here is public.
    """

    facts: Sequence[Fact] = ()
    links: Sequence[Crumb] = ()
    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
