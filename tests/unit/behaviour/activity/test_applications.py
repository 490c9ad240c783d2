"""What an application lacks, which definition a sample proves, and how quality is scored, without a database."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tanpuhui.behaviour.activity.adapters.contents import content_json, content_of, content_sha256
from tanpuhui.behaviour.activity.domain.applications import (
    ApplicationIncomplete,
    DataField,
    DocumentRef,
    Exclusion,
    ScenarioContent,
    feed_definition_sha256,
    lacks,
)
from tanpuhui.behaviour.activity.domain.quality import (
    Component,
    Measure,
    SampleVerdict,
    Share,
    checks_of,
    score,
    verdict_of,
)

COMPLETE = ScenarioContent(
    code="bus",
    name_zh="公交",
    name_en="Bus",
    scenario_class="everyday",
    area="990000",
    behaviour="乘坐公交车",
    partner_id=7,
    methodology_code="A01",
    fields=(DataField(code="distance_km", meaning="里程", purpose="核算", required=True),),
    records_per_day=100,
    adapter="standard",
    evidence_tier=1,
    evidence_note="运营方记录",
    excluded_from=tuple(one.value for one in Exclusion),
)


def lacking(content: ScenarioContent) -> list[str]:
    found = lacks(
        content,
        classes=["everyday"],
        adapters=["standard"],
        areas=["990000", "990100"],
        needed_columns={"distance_km": "里程"},
    )
    return [one.field for one in found]


def test_a_complete_application_lacks_nothing() -> None:
    assert lacking(COMPLETE) == []


def test_an_empty_one_names_every_field_in_both_languages() -> None:
    found = lacks(
        ScenarioContent(), classes=["everyday"], adapters=["standard"], areas=["990000"], needed_columns={}
    )
    assert {one.field for one in found} == {
        "code", "name_zh", "name_en", "behaviour", "methodology_code", "evidence_note", "scenario_class", "area",
        "adapter", "evidence_tier", "partner_id", "records_per_day", "fields", "excluded_from",
    }  # fmt: skip
    refusal = ApplicationIncomplete(lacking=found)
    assert "请填写中文名称" in refusal.message("zh")
    assert "Fill in the Chinese name" in refusal.message("en")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Bus"}, "code"),
        ({"code": "a b"}, "code"),
        ({"scenario_class": "both"}, "scenario_class"),
        ({"area": "110000"}, "area"),
        ({"default_area": "110000"}, "default_area"),
        ({"evidence_tier": 5}, "evidence_tier"),
        ({"reach": "everywhere"}, "reach"),
        ({"excluded_from": ("ets",)}, "excluded_from"),
        ({"fields": ()}, "fields"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], field: str) -> None:
    assert field in lacking(replace(COMPLETE, **changes))  # type: ignore[arg-type]


def test_an_overlap_with_another_scheme_can_be_explained() -> None:
    assert lacking(replace(COMPLETE, excluded_from=("ets",), exclusion_note="与 CCER 的电站按电表排除")) == []


@pytest.mark.parametrize(
    "fields",
    [
        (DataField(code="distance_km", meaning="里程", purpose=" "),),
        (DataField(code="distance_km", meaning="里程", purpose="核算"), DataField(code="distance_km", meaning="x", purpose="y")),
        (DataField(code="a,b", meaning="x", purpose="y"), DataField(code="distance_km", meaning="x", purpose="y")),
        (DataField(code="other", meaning="x", purpose="y"),),
    ],
)  # fmt: skip
def test_a_column_has_a_purpose_stands_once_and_the_needed_ones_are_there(
    fields: tuple[DataField, ...],
) -> None:
    assert lacking(replace(COMPLETE, fields=fields)) == ["fields"]


def test_words_leave_the_definition_as_it_is_and_data_do_not() -> None:
    same = replace(COMPLETE, name_zh="公共汽车", behaviour="另一种说法", records_per_day=5, area="990100")
    assert feed_definition_sha256(same) == feed_definition_sha256(COMPLETE)
    optional = (replace(COMPLETE.fields[0], required=False),)
    for other in (
        replace(COMPLETE, adapter="shenzhen_tong"), replace(COMPLETE, evidence_tier=2), replace(COMPLETE, code="metro"),
        replace(COMPLETE, partner_id=8), replace(COMPLETE, fields=optional), replace(COMPLETE, default_area="990100"),
    ):  # fmt: skip
        assert feed_definition_sha256(other) != feed_definition_sha256(COMPLETE)


def test_a_content_comes_back_from_what_is_stored() -> None:
    said = COMPLETE.with_document(DocumentRef(sha256="ab", name="协议.pdf"))
    assert content_of(content_json(said)) == said
    assert content_sha256(said) != content_sha256(COMPLETE)
    assert said.without_document("ab") == COMPLETE


def component(
    measure: Measure, part: int, whole: int, weight: int | None = 1, *, applies: bool = True
) -> Component:
    return Component(
        measure=measure.value, share=Share(part=part, whole=whole), weight=weight, applies=applies
    )


def test_the_score_is_an_exact_weighted_mean() -> None:
    found = score([component(Measure.VALID, 1, 3, 2), component(Measure.UNIQUE, 1, 1, 1)])
    assert found == Fraction(5, 9)


def test_an_unset_weight_gives_no_score_and_nothing_measured_counts_as_nothing() -> None:
    assert score([component(Measure.VALID, 1, 1, None)]) is None
    assert score([component(Measure.VALID, 0, 0), component(Measure.UNIQUE, 1, 1)]) == Fraction(1, 2)
    assert score([component(Measure.PLAUSIBLE, 0, 0, applies=False), component(Measure.UNIQUE, 1, 1)]) == 1
    assert score([]) is None


def test_a_share_is_never_rounded_up_to_the_whole() -> None:
    assert Share(part=99_999, whole=100_000).percent_text() == "99.99%"
    assert Share(part=1, whole=1).percent_text() == "100.00%"
    assert Share(part=0, whole=0).percent_text() == "—"


@pytest.mark.parametrize(
    ("rows", "thresholds", "verdict"),
    [
        (10, {"rows_min": "10", "valid_share_min": "9/10", "score_min": "9/10"}, SampleVerdict.PASSED),
        (9, {"rows_min": "10", "valid_share_min": "9/10", "score_min": "9/10"}, SampleVerdict.FAILED),
        (10, {"rows_min": None, "valid_share_min": "9/10", "score_min": "9/10"}, SampleVerdict.UNDECIDED),
        (9, {"rows_min": "10", "valid_share_min": None, "score_min": None}, SampleVerdict.FAILED),
    ],
)
def test_one_condition_not_met_fails_and_one_unset_leaves_it_to_a_person(
    rows: int, thresholds: dict[str, str | None], verdict: SampleVerdict
) -> None:
    checks = checks_of(
        rows=rows, counted=rows, valid=Share(part=9, whole=10), components=[component(Measure.VALID, 9, 10)],
        undeclared=[], fault="", thresholds=thresholds,
    )  # fmt: skip
    assert verdict_of(checks) is verdict


def test_what_was_not_declared_or_not_calculated_fails() -> None:
    given = {"rows_min": "1", "valid_share_min": "1/2", "score_min": "1/2"}
    whole = [component(Measure.VALID, 1, 1)]
    sent_more = checks_of(
        rows=1, counted=1, valid=Share(part=1, whole=1), components=whole, undeclared=["phone"], fault="", thresholds=given
    )  # fmt: skip
    nothing = checks_of(
        rows=1, counted=0, valid=Share(part=1, whole=1), components=whole, undeclared=[], fault="", thresholds=given
    )  # fmt: skip
    assert verdict_of(sent_more) is verdict_of(nothing) is SampleVerdict.FAILED
