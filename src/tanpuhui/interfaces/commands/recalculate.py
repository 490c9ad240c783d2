"""`tanpuhui recalculate`: 复算已存结果，或办理已批准的重算 / have stored results again, or post an approved recalculation.

Without `--adjust` nothing is written: every stored result is calculated again from its stored version, factors and
inputs, and what differs is listed with the reason. Exit status: 0 all the same, 1 something differs, 2 wrong call.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import StepAdjusted, adjust_next_step
from tanpuhui.behaviour.activity.queries import Reproduction
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.persistence.locks import Busy

SAME, DIFFERS, WRONG = 0, 1, 2
BUSY_WAIT_S = 1.0
DONE = "done"


def main(arguments: Sequence[str]) -> int:
    """Have results again and say what differs, or post the steps of an approved recalculation with a progress bar."""
    parser = argparse.ArgumentParser(prog="tanpuhui recalculate", description=__doc__)
    parser.add_argument("--scenario", default="", help="只查一个场景 / one scenario")
    parser.add_argument("--month", default="", help="只查一个月的入账，如 2026-11 / postings of one month")
    parser.add_argument("--posting", type=int, help="只查一笔入账 / one posting")
    parser.add_argument(
        "--adjust", type=int, metavar="N", help="办理已批准的第 N 号重算 / post approved recalculation N"
    )
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    given = parser.parse_args(arguments)
    try:
        if given.adjust is not None:
            return _adjust(given.adjust, given.lang)
        return _have_again(_wanted(given), given.lang)
    except Refusal as refusal:
        print(refusal.message(given.lang), file=sys.stderr)
        return WRONG


def _wanted(given: argparse.Namespace) -> Iterator[Reproduction]:
    """Yield postings, then the steps of recalculations where no single posting or month was asked for."""
    yield from activity.reproduce_postings(
        scenario=given.scenario, month=given.month, posting_id=given.posting
    )
    if given.posting is None and not given.month:
        yield from activity.reproduce_recalculations(scenario=given.scenario)


def _have_again(several: Iterator[Reproduction], lang: str) -> int:
    seen = records = different = 0
    for again in several:
        seen, records, different = seen + 1, records + again.records, different + (not again.same)
        if again.findings:
            print(f"{'✓' if again.same else '✗'} {again.subject}  {again.records:,}")
        for finding in again.findings:
            print(f"    {finding.code}  {finding.text(lang)}")
    if not seen:
        print(
            "没有可复算的结果。" if lang == "zh" else "There are no stored results of that kind.",
            file=sys.stderr,
        )
        return WRONG
    if lang == "zh":
        said = f"{seen:,} 笔、{records:,} 条记录复算完毕：" + (
            f"{different:,} 笔不一致" if different else "逐字节一致"
        )
    else:
        said = f"{seen:,} results, {records:,} records had again: " + (
            f"{different:,} differ" if different else "the same to the byte"
        )
    print(said)
    return DIFFERS if different else SAME


def _adjust(number: int, lang: str) -> int:
    """Post step after step; a run that is broken off goes on where it stopped, whoever goes on with it."""
    words = "调整分录" if lang == "zh" else "adjusting entries"
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    view = activity.recalculation(number)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=view.steps, completed=view.steps_done)
        while (done := _step(number)).state != DONE:
            progress.update(bar, completed=done.steps_done)
        progress.update(bar, completed=done.steps_done)
    totals = activity.recalculation(number).totals
    sentence = (
        "第 {n} 号重算已完成：{changed:,} 条记录有变，减排量 {grams:+,} g，积分 {points:+,}，待追回 {due_points:,} 积分"
        if lang == "zh"
        else "Recalculation {n} is done: {changed:,} records changed, {grams:+,} g, {points:+,} points, {due_points:,} points due"
    )
    print(sentence.format(n=number, **totals))
    return SAME


def _step(number: int) -> StepAdjusted:
    """Post the next step; where somebody else is posting, wait for them."""
    while True:
        try:
            return adjust_next_step(actor=SYSTEM, at=timezone.now(), recalculation_id=number)
        except Busy:
            time.sleep(BUSY_WAIT_S)
