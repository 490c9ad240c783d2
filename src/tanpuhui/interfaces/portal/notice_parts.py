"""What a subject adds to its public notice (公示内容), by subject type; every notice has the generic part besides.

Subjects live in higher rooms than notices: a kind of subject that has something to show registers a function here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tanpuhui.foundation.workflow.queries import NoticeView
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


PARTS: Mapping[str, Callable[[NoticeView], NoticePart]] = {}
"""Subject type → the function that says what the public reads of it."""


def part_of(view: NoticeView) -> NoticePart:
    """Return what the subject adds to its notice; nothing where its kind registered nothing."""
    make = PARTS.get(view.subject_type)
    return NoticePart() if make is None else make(view)
