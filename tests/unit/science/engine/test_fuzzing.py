"""No text of a stranger makes the engine fail or wait: it is a version, or it is refused."""

from __future__ import annotations

import os
import random
import sys

import pytest
from tests.unit.science.engine import fuzzing
from tests.unit.science.engine.fuzzing import attempt, fuzz, least, samples
from tests.unit.science.engine.test_wider_language import RECORD, version

from tanpuhui.science.engine import interpret

SECONDS = float(os.environ.get("TANPUHUI_FUZZ_SECONDS", "600"))
"""How long `make proof` fuzzes; ten minutes unless it is told otherwise."""


def test_some_hostile_texts_are_refused_or_accepted() -> None:
    found = fuzz(samples_max=100, seed=20261125)
    assert found.faults == [], "\n\n".join(found.faults)
    assert found.outcomes["accepted"]
    assert found.outcomes["SYNTAX"]


@pytest.mark.proof
@pytest.mark.timeout(SECONDS + 300)
def test_ten_minutes_of_hostile_text_are_refused_or_accepted() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    found = fuzz(seconds=SECONDS, seed=seed)
    told = dict(found.outcomes.most_common())
    sys.stdout.write(f"seed {seed}: {found.samples:,} samples, slowest {found.slowest_s:.2f} s, {told}\n")
    assert found.faults == [], f"seed {seed}\n" + "\n\n".join(found.faults)


@pytest.mark.parametrize("formula", ["1[tCO2] * ln(2, 6, half_up)", "1[tCO2] * power(0.3, 0.5, 6, floor)"])
def test_what_fuzzing_found_stays_mended(formula: str) -> None:
    assert interpret(version(formula), RECORD).reason is None


def test_the_same_seed_gives_the_same_samples() -> None:
    first, second = samples(random.Random(7)), samples(random.Random(7))
    assert [next(first) for _ in range(20)] == [next(second) for _ in range(20)]


def test_an_error_that_is_no_refusal_is_found_and_cut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(files: dict[str, bytes]) -> None:
        if b"bad" in files["x"]:
            raise ZeroDivisionError

    monkeypatch.setitem(fuzzing._ACTIONS, "version", fails)
    sample = ("version", {"x": b"one\ntwo bad words\nthree"})
    outcome, error = attempt(sample)
    assert outcome.startswith("ZeroDivisionError")
    assert "ZeroDivisionError" in error
    assert least(sample, outcome) == ("version", {"x": b"bad"})
