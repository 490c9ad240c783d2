"""What everybody reads of experts and their reviews, in the province whose story was told."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from tests.integration.conftest import Story

from tanpuhui.science.methodology import queries as methodology

pytestmark = pytest.mark.usefixtures("story")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def read(address: str, *, language: str = "zh-hans") -> str:
    answer = Client(headers={"accept-language": language}).get(address)
    assert answer.status_code == 200, address
    page = answer.content.decode()
    return page[page.index("<main") : page.index("</main>")]


def test_the_pool_is_public_without_employers(story: Story) -> None:
    page = read("/experts")
    for term in methodology.expert_terms():
        assert term.name in page
        assert term.employer_uscc not in page
        assert term.employer_name not in page


def test_a_review_is_public_with_its_draw_recusals_votes_and_dissent_but_without_scores(story: Story) -> None:
    recused = next(one for one in methodology.library() if (one.code, one.state) == ("A02", "filed"))
    assert recused.case_id is not None
    panel = methodology.panel_of_case(recused.case_id)
    assert panel is not None
    page = read(f"/methodologies/A02/{recused.version}/review")
    for said in (panel.seed, panel.log_root, panel.case_number, "申报过利害关系", "推荐备案"):
        assert said in page
    opinions = methodology.reviews(panel.panel_id, version_id=recused.id)
    assert opinions
    assert all(text not in page for opinion in opinions for text in opinion.texts.values())
    first = read("/methodologies/A01/1.0/review")
    assert "基准情景按全省平均取值" in first


def test_what_became_of_a_version_stands_on_its_page(story: Story) -> None:
    page = read("/methodologies/A01/1.0")
    assert "备案和以后" in page
    assert "/methodologies/A01/1.0/review" in page


@pytest.mark.parametrize("version", ["1.1", "9.9"])
def test_a_review_that_has_not_ended_is_not_there(story: Story, version: str) -> None:
    assert Client().get(f"/methodologies/A01/{version}/review").status_code == 404


def test_the_labels_are_english_when_asked(story: Story) -> None:
    for address in ("/experts", "/methodologies/A01/1.0/review"):
        page = read(address, language="en")
        labels = re.findall(r"<(?:h1|h2|h3|th|dt|summary)[^>]*>(.*?)</", page)
        assert labels
        assert [one for one in labels if CHINESE.search(one)] == []
