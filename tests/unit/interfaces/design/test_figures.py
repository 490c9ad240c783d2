"""How quantities, serials, digests and dates are written."""

import datetime as dt
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Tonnes
from tanpuhui.interfaces.design import figures


def shown(source: str, **values: object) -> str:
    return Template("{% load tanpuhui %}" + source).render(Context(values))


@pytest.fixture(autouse=True)
def chinese():
    with translation.override("zh-hans"):
        yield


def test_grams_are_whole_and_keep_their_unit_unbroken():
    html = shown("{{ value|grams }}", value=Grams(18642))
    assert html == (
        '<span class="q"><span class="num">18,642</span> '
        '<span class="unit" data-elder="克"><span class="u">g</span></span></span>'
    )


def test_kilograms_show_three_decimals_which_is_every_gram():
    assert shown('{{ value|kg:"text" }}', value=Grams(126408)) == "126.408 kg"
    assert shown('{{ value|kg:"text" }}', value=Grams(5)) == "0.005 kg"


def test_tonnes_of_units_are_whole_and_tonnes_of_grams_are_cut_not_rounded():
    assert shown('{{ value|tonnes:"text" }}', value=Tonnes(1842)) == "1,842 t"
    assert shown('{{ value|tonnes:"text" }}', value=Grams(214_806_372_999)) == "214,806.372 t"


def test_money_has_two_decimals_and_a_real_minus_sign():
    assert shown('{{ value|yuan:"text" }}', value=Fen(18_264_000)) == "182,640.00 元"
    assert shown('{{ value|yuan:"text" }}', value=Fen(-5)) == "−0.05 元"


def test_points_are_counted_in_both_languages():
    assert shown('{{ value|points:"text" }}', value=Points(1286)) == "1,286 分"
    with translation.override("en"):
        assert shown('{{ value|points:"text" }}', value=Points(1)) == "1 point"
        assert shown('{{ value|points:"text" }}', value=Points(2)) == "2 points"


@pytest.mark.parametrize(
    ("filter_name", "value"),
    [
        ("grams", Points(1)),
        ("points", Grams(1)),
        ("yuan", Tonnes(1)),
        ("kg", Fen(1)),
        ("tonnes", Points(1)),
        ("grams", 1.5),
    ],
)
def test_a_wrong_kind_or_a_float_is_an_error_and_never_a_wrong_label(filter_name, value):
    with pytest.raises(TypeError):
        shown("{{ value|" + filter_name + " }}", value=value)


def test_an_unset_value_says_so_and_is_not_zero():
    assert "未设值" in shown("{{ value|grams }}", value=None)
    assert "未设值" in shown("{{ value|factor }}", value=None)


def test_a_factor_is_written_as_published():
    assert shown("{{ value|factor }}", value=Decimal("0.0520")) == '<span class="num">0.0520</span>'


def test_units_keep_their_case_and_their_subscript():
    html = shown("{{ value|grams:'co2e' }}", value=Grams(436))
    assert "g CO<sub>2</sub>e" in html
    assert 'kg CO<sub>2</sub>e/(人<i class="mid"></i>km)' in shown("{{ 'kg CO2e/(人·km)'|unit }}")


def test_markup_in_a_unit_is_escaped():
    assert "<b>" not in shown("{{ value|unit }}", value="<b>kg</b>")


def test_english_pages_do_not_carry_the_elder_word():
    with translation.override("en"):
        assert "data-elder" not in shown("{{ value|grams }}", value=Grams(1))


def test_a_serial_range_repeats_only_what_differs():
    assert (
        figures.serial_range("PH-P0231-2024-000412", "PH-P0231-2024-000597")
        == "PH-P0231-2024-000412 – 000597"
    )
    assert figures.serial_range("A-2024-1", "A-2025-7") == "A-2024-1 – A-2025-7"
    assert figures.serial_range("A-2024-1", "A-2024-1") == "A-2024-1"


def test_a_digest_keeps_both_ends():
    digest = "9e02b7c451fa8d30" + "0" * 40 + "c8177ae6"
    assert figures.short_digest(digest) == "9e02b7c4 51fa8d30 … c8177ae6"
    assert figures.short_digest("a3f19c07", 4) == "a3f1 9c07"


def test_a_coupon_code_is_read_in_fours():
    assert figures.coupon_code("470829163350") == "4708 2916 3350"


def test_days_are_local_days():
    late = dt.datetime(2026, 11, 19, 16, 30, tzinfo=dt.UTC)
    assert figures.day_in_sentence(late) == "11 月 20 日"
    assert figures.moment(late) == "2026-11-20 00:30:00"
    with translation.override("en"):
        assert figures.day_in_sentence(late) == "20 Nov"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (105, "一百零五"),
        (110, "一百一十"),
        (186, "一百八十六"),
        (1001, "一千零一"),
        (1842, "一千八百四十二"),
        (10_000, "一万"),
        (10_010, "一万零一十"),
        (100_500, "十万零五百"),
        (163_420, "十六万三千四百二十"),
        (100_000_001, "一亿零一"),
        (120_000, "十二万"),
        (1_000_010_000, "十亿零一万"),
    ],
)
def test_chinese_numerals_of_certificates(number, words):
    assert figures.chinese_numeral(number) == words
