"""Shapes of the identity: what is drawn is what is counted."""

from decimal import Decimal

import pytest

from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.design import drawing, scales
from tanpuhui.interfaces.design.parts import BalancePart, CompareBars


def rows_of(lines: drawing.CountedLines) -> set[str]:
    starts = (lines.pine + lines.sea).split("M")[1:]
    return {start.split("h")[0].split()[1] for start in starts}


@pytest.mark.parametrize("tonnes", [1, 2, 186, 400])
def test_one_line_is_one_tonne_up_to_four_hundred(tonnes):
    lines = drawing.counted_lines(tonnes)
    assert (lines.lines, lines.tonnes_per_line) == (tonnes, 1)
    assert len(rows_of(lines)) == tonnes


@pytest.mark.parametrize(
    ("tonnes", "per_line", "count", "last"),
    [
        (401, 10, 41, 1),
        (1842, 10, 185, 2),
        (4000, 10, 400, 10),
        (4001, 100, 41, 1),
        (163_420, 1000, 164, 420),
    ],
)
def test_above_four_hundred_a_line_stands_for_more_and_the_last_for_the_rest(tonnes, per_line, count, last):
    lines = drawing.counted_lines(tonnes)
    assert (lines.tonnes_per_line, lines.lines, lines.last_line) == (per_line, count, last)
    assert (lines.lines - 1) * lines.tonnes_per_line + lines.last_line == tonnes
    assert len(rows_of(lines)) == count


def test_less_than_a_tonne_has_no_certificate():
    with pytest.raises(ValueError, match="at least one tonne"):
        drawing.counted_lines(0)


def test_drops_grow_with_the_root_of_grams_within_bounds():
    assert drawing.drop_width(0) == drawing.drop_width(200) == 50
    assert drawing.drop_width(1024) == drawing.drop_width(10**9) == 92
    quarter = (drawing.drop_width(512) - 50) / 42
    assert 0 < quarter < 1


def test_the_staff_holds_both_readings():
    staff = drawing.staff(Decimal("18.642"), Decimal("17.434"), "kg")
    assert [text for _, text in staff.labels] == ["12", "16", "20", "24 kg"]
    assert float(staff.now_y) < float(staff.last_y)


@pytest.mark.parametrize("now", [Decimal(0), Decimal("0.208"), Decimal("999999.999")])
def test_the_staff_stands_for_every_level(now):
    staff = drawing.staff(now, None, "kg")
    assert 0 <= float(staff.now_y) <= 198
    assert staff.labels[-1][1].endswith(" kg")


def test_each_sibling_is_drawn_on_its_true_side():
    path = drawing.merkle_path(["right", "left", "right"])
    assert [float(y) for _, _, y in path.branches] == [80.5, 24.5, 80.5]


def test_a_qr_code_has_its_finder_patterns():
    path, size = drawing.qr_path("https://example.org/c/1")
    assert path.startswith("M0 0h7v1h-7z")
    assert f"M{size - 7} 0h7v1h-7z" in path


def test_a_gauge_is_never_overfull():
    assert scales.gauge_scale(9, 5, 120)["fill"] == "120"
    assert scales.gauge_scale(-1, 5, 120)["fill"] == "0"
    assert scales.gauge_scale(2, 5, 120)["fill"] == "48"


@pytest.mark.parametrize(
    ("left", "stopped", "tone", "words"),
    [
        (4, False, "", "剩 4 日"),
        (1, False, "warn", "剩 1 日"),
        (0, False, "bad", "今天到期"),
        (-2, False, "bad", "逾期 2 日"),
        (2, True, "stop", "时钟已停"),
    ],
)
def test_a_deadline_is_said_in_words_as_well(left, stopped, tone, words):
    scale = scales.deadline_scale(left, 5, stopped=stopped)
    assert (scale["deadline_tone"], scale["deadline_words"]) == (tone, words)


def test_the_register_says_when_it_does_not_balance():
    parts = (BalancePart("持有", Tonnes(90), "held"), BalancePart("已消纳", Tonnes(10), "retired"))
    assert scales.balance_scale(Tonnes(100), parts)["balanced"]
    wrong = scales.balance_scale(Tonnes(101), parts)
    assert not wrong["balanced"]
    assert wrong["short"]
    assert wrong["difference"] == Tonnes(1)


def test_the_saved_part_is_what_the_bars_differ_by():
    scale = scales.compare_scale(CompareBars("基准", Decimal("873.6"), "公交", Decimal("436.8"), "少排"))
    assert scale["saved"] == "436.8"
    assert [label["text"] for label in scale["labels"]] == ["0", "300", "600", "900 g"]
    worse = scales.compare_scale(CompareBars("基准", Decimal(10), "实际", Decimal(12), "少排"))
    assert not worse["is_saved"]
