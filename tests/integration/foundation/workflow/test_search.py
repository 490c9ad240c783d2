"""Cases are found by words of two characters, by parts of their numbers and by who has a part in them, and only in sight."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.integration.foundation.workflow.conftest import Province, organisation
from tests.integration.foundation.workflow.corruption import corrupt
from tests.integration.foundation.workflow.many_cases import copy_first_case

from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import CaseOpened, index_cases, name_party, open_case
from tanpuhui.foundation.workflow.queries import CasesFound, Criteria, Scope

pytestmark = pytest.mark.django_db
EVERYWHERE = Scope(areas=("990000",))


def opened(
    province: Province, title: str, *, subject_id: str = "1", area: str = "", owner_id: int | None = None
) -> CaseOpened:
    return open_case(
        actor=SYSTEM, at=province.at, process="issuance", subject_type="thing", subject_id=subject_id, title=title,
        area=area or province.area, organisation_id=owner_id or province.owner_id,
    )  # fmt: skip


def search(province: Province, text: str, *, scope: Scope = EVERYWHERE, **criteria: str) -> CasesFound:
    wanted = Criteria(text=text, **criteria)
    return queries.find_cases(scope=scope, actor=SYSTEM, at=province.at, criteria=wanted)


def titles(found: CasesFound) -> list[str]:
    return [view.title for view in found.cases]


@pytest.mark.parametrize(
    "text", ["光伏", "农村光伏", "伏", "2026 光伏", "光伏 农村", "第三季度", "ＢＵＳ", "bu", "（光伏）"]
)
def test_a_word_is_found_wherever_it_stands_in_a_title(province: Province, text: str) -> None:
    opened(province, "甲市农村光伏 2026 年第三季度 Bus 监测报告")
    opened(province, "乙市地铁", subject_id="2")
    assert titles(search(province, text)) == ["甲市农村光伏 2026 年第三季度 Bus 监测报告"]


@pytest.mark.parametrize("text", ["农光", "光村", "度监", "三季报", "，。", "  "])
def test_what_does_not_stand_side_by_side_is_not_found(province: Province, text: str) -> None:
    opened(province, "甲市农村光伏 2026 年第三季度，监测报告")
    found = search(province, text)
    assert found.cases == () or not text.strip()


@pytest.mark.parametrize("part", ["000001", "1", "MU-ISSUANCE", "issuance 2026", "MU-ISSUANCE-2026-000001"])
def test_a_part_of_a_number_finds_the_case(province: Province, part: str) -> None:
    number = opened(province, "一件事").number
    assert [view.number for view in search(province, part).cases] == [number]


def test_the_case_of_that_very_number_comes_first_then_titles_then_names(province: Province) -> None:
    named = organisation("owner", 9, at=province.at, area=province.area)
    exact = opened(province, "甲")
    in_title = opened(province, f"关于 {exact.number} 的补充", subject_id="2")
    assert [view.number for view in search(province, exact.number).cases] == [exact.number, in_title.number]
    by_name = opened(province, "丙", subject_id="3", owner_id=named)
    by_title = opened(province, "owner9 的报告", subject_id="4")
    assert [view.number for view in search(province, "owner9").cases] == [by_title.number, by_name.number]


def test_a_case_is_found_by_its_applicant_and_by_a_party_named_later(province: Province) -> None:
    case_id = opened(province, "一件事").case_id
    assert [view.case_id for view in search(province, "owner1").cases] == [case_id]
    assert search(province, "verifier2").cases == ()
    name_party(
        actor=province.actor(Role.OWNER),
        at=province.at,
        case_id=case_id,
        role="verifier",
        organisation_id=province.verifier_id,
    )
    assert [view.case_id for view in search(province, "verifier2").cases] == [case_id]
    own = Scope(organisation_ids=(province.verifier_id,))
    assert [view.case_id for view in search(province, "", scope=own).cases] == [case_id]


def test_a_scope_sees_its_areas_its_organisations_and_its_process_and_nothing_else(
    province: Province,
) -> None:
    other = organisation("owner", 9, at=province.at, area=province.area)
    in_a = opened(province, "甲市的事", area="990100").case_id
    in_b = opened(province, "乙市的事", area="990200", subject_id="2", owner_id=other).case_id
    filing = province.open("methodology_filing", area="990200").case_id
    for scope, seen in (
        (Scope(), set()),
        (Scope(areas=("990100",)), {in_a}),
        (Scope(areas=("990000",)), {in_a, in_b, filing}),
        (Scope(organisation_ids=(other,)), {in_b}),
        (Scope(process_areas=(("methodology_filing", "990200"),)), {filing}),
        (Scope(process_areas=(("methodology_filing", "990100"),)), set()),
        (Scope(areas=("990100",), organisation_ids=(other,)), {in_a, in_b}),
    ):
        for text in ("", "事"):
            found = {view.case_id for view in search(province, text, scope=scope).cases}
            assert found == seen, (scope, text)


def test_criteria_narrow_a_search_and_pages_follow_each_other(province: Province) -> None:
    for number in range(5):
        opened(province, f"公交 {number}", subject_id=str(number), area="990100" if number else "990200")
    assert len(search(province, "公交", area="990100").cases) == 4
    assert search(province, "公交", status="closed").cases == ()
    assert len(search(province, "公交", status="running", process="issuance", state="draft").cases) == 5
    pages = [
        queries.find_cases(
            scope=EVERYWHERE, actor=SYSTEM, at=province.at, criteria=Criteria(text="公交"), offset=offset, limit=2
        )
        for offset in (0, 2, 4)
    ]  # fmt: skip
    assert [page.more for page in pages] == [True, True, False]
    assert len({view.case_id for page in pages for view in page.cases}) == 5
    assert {page.matches for page in pages} == {5}


@pytest.mark.parametrize(
    "given", [{"due": "sometimes"}, {"held": "x"}, {"sort": "size"}, {"status": "lost"}, {"text": "长" * 201}]
)
def test_an_unknown_choice_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Criteria.of(given)


def test_a_text_cannot_become_a_query_of_its_own(province: Province) -> None:
    opened(province, "一件事")
    for text in ("' | 'x':*", "!", "a & | b", "\\", "'; drop table workflow_case; --", "%", "_"):
        assert search(province, text).cases == ()


def test_search_and_inbox_ask_as_often_at_ten_cases_as_at_a_thousand(province: Province) -> None:
    opened(province, "公交")
    counts: list[tuple[int, int, int]] = []
    for more in (9, 990):
        copy_first_case(more)
        asked = []
        for ask in (
            lambda: search(province, "公交"),
            lambda: search(province, ""),
            lambda: queries.inbox_page(
                actor=province.actor(Role.OWNER), at=province.at, criteria=Criteria(text="公交"), offset=0, limit=50
            ),
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as captured:
                ask()
            asked.append(len(captured))
        counts.append((asked[0], asked[1], asked[2]))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 12


def test_a_case_that_lists_know_wrongly_is_a_breach(province: Province) -> None:
    case_id = opened(province, "一件事").case_id
    assert list(queries.breaches()) == []
    for damage in (
        f"update workflow_casesearch set organisations = '{{}}' where case_id = {case_id}",
        f"update workflow_casesearch set area = '990200' where case_id = {case_id}",
        f"delete from workflow_casesearch where case_id = {case_id}",
    ):
        corrupt(damage)
        assert "workflow.case_is_found_by_its_own" in {breach.invariant for breach in queries.breaches()}
        index_cases([case_id])
        assert list(queries.breaches()) == []
