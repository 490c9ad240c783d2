"""Explain: the time of one record's explanation, against the bare calculation of the same record in the same run.

For every worked case of the library that counts: `interpret` (the floor), `explain`, and the explanation as text and
as JSON. Rounds alternate; the first is discarded; medians are shown. The goal is under 5 ms a record.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from tanpuhui.science.engine import explain, interpret, load_version
from tanpuhui.science.engine.cases import read_cases

LIBRARY = Path(__file__).parents[1] / "methodologies"
GOAL_MS = 5.0
CALLS = 20


def run(*, repeats: int) -> None:
    """Print a line for every version with its slowest case, and the worst of all."""
    worst = 0.0
    print(
        f"{'version':<28}{'case':<28}{'interpret ms':>13}{'explain ms':>12}{'× floor':>9}{'+ text':>8}{'+ JSON':>8}"
    )
    for path in sorted(path.parent for path in LIBRARY.glob("*/*/methodology.yaml")):
        files = {
            item.relative_to(path).as_posix(): item.read_bytes() for item in path.rglob("*") if item.is_file()
        }
        rows = []
        for case in read_cases(files):
            if case.grams is None:
                continue
            version = load_version(files, parameter_set=case.parameter_set)
            steps: list[Callable[[], object]] = [
                lambda v=version, c=case: interpret(v, c.inputs),
                lambda v=version, c=case: explain(v, c.inputs),
                lambda v=version, c=case: explain(v, c.inputs).as_text(),
                lambda v=version, c=case: explain(v, c.inputs).as_json(),
            ]
            rows.append((case.code, _medians(steps, repeats)))
        if not rows:
            continue
        code, (floor, whole, text, as_json) = max(rows, key=lambda row: row[1][1])
        worst = max(worst, whole, text, as_json)
        print(f"{path.parent.name + ' ' + path.name:<28}{code:<28}{floor:>13.3f}{whole:>12.3f}{whole / floor:>9.1f}"
              f"{text - whole:>8.3f}{as_json - whole:>8.3f}")  # fmt: skip
    print(
        f"slowest of all, rendered: {worst:.3f} ms; goal {GOAL_MS:.0f} ms: {'reached' if worst < GOAL_MS else 'NOT reached'}"
    )


def _medians(steps: list[Callable[[], object]], repeats: int) -> list[float]:
    """Return milliseconds of processor time a call, each step's median over the rounds."""
    times: list[list[float]] = [[] for _ in steps]
    for turn in range(repeats + 1):
        for step, found in zip(steps, times, strict=True):
            began = time.process_time()
            for _ in range(CALLS):
                step()
            if turn:
                found.append((time.process_time() - began) * 1000 / CALLS)
    return [statistics.median(found) for found in times]
