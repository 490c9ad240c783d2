"""What the public reads of a methodology under notice: the version that was judged then, and ways to all of it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.integration.science.methodology.committee import Committee
from tests.integration.science.methodology.conftest import committee

from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.interfaces.portal.notice_parts import PARTS
from tanpuhui.science.methodology.models import MethodologyVersion

__all__ = ["committee"]

pytestmark = pytest.mark.django_db


def part(committee: Committee, *, days: int = 0) -> NoticePart:
    """Return the public part of a notice that opened some days after the meeting."""
    view: Any = SimpleNamespace(
        subject_id=str(committee.panel.filing_id),
        case_id=committee.case_id,
        number="X-1",
        opened_at=committee.at + timedelta(days=days),
    )
    return PARTS["methodology_filing"](view)


def labels(made: NoticePart) -> set[str]:
    return {fact.label for fact in made.facts}


def test_the_version_its_conclusion_and_the_record_of_its_review_are_public(committee: Committee) -> None:
    committee.draw()
    committee.conclude()
    made = part(committee)
    assert "评审结论" in labels(made)
    assert [link.url for link in made.links] == ["/methodologies/T01/1.0", "/methodologies/T01/1.0/review"]


def test_a_meeting_signed_after_the_notice_opened_is_not_what_was_put_to_notice(committee: Committee) -> None:
    committee.draw()
    committee.conclude()
    assert "评审结论" not in labels(part(committee, days=-1))


def test_a_version_without_public_page_is_named_and_not_linked(committee: Committee) -> None:
    committee.draw()
    committee.conclude()
    MethodologyVersion.objects.filter(pk=committee.version_id).update(state="returned")
    made = part(committee)
    assert made.links == []
    assert str(made.facts[0].value).startswith("T01")


def test_a_filing_without_committee_says_its_version(committee: Committee) -> None:
    view: Any = SimpleNamespace(subject_id=str(committee.version_id))
    made = PARTS["methodology_version"](view)
    assert str(made.facts[0].value).startswith("T01")
    assert made.links[0].url == "/methodologies/T01/1.0"
