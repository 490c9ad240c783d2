"""What a subject adds to its public notice (公示内容), by subject type; every notice has the generic part besides.

Subjects live in higher rooms than notices: a kind of subject that has something to show registers a function here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tanpuhui.foundation.workflow.queries import NoticeView
from tanpuhui.interfaces.portal.methodology_notice import filing_part, version_part
from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.interfaces.portal.scenario_notice import application_part

PARTS: Mapping[str, Callable[[NoticeView], NoticePart]] = {
    "methodology_filing": filing_part,
    "methodology_version": version_part,
    "scenario_application": application_part,
}
"""Subject type → the function that says what the public reads of it."""


def part_of(view: NoticeView) -> NoticePart:
    """Return what the subject adds to its notice; nothing where its kind registered nothing."""
    make = PARTS.get(view.subject_type)
    return NoticePart() if make is None else make(view)
