"""Fuzzing the language (模糊测试): hostile formulas and hostile folders, and what may come of them.

Whatever a stranger writes is either a version or a refusal with its place; never another error, and never a wait.
A seed gives the same samples again; what breaks is cut down to the least that still breaks.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.unit.science.engine.made_up import LIBRARY, MAIN, ROOT, folder, library
from tests.unit.science.engine.test_wider_language import HEAD, RECORD

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.engine import (
    MethodologyVersion,
    archive,
    difference,
    difference_text,
    explain,
    formula_text,
    interpret,
    load_parameter_set,
    load_version,
    open_archive,
    sql,
)
from tanpuhui.science.engine.cases import CASES_FILE, run_cases
from tanpuhui.science.engine.dialects import DIALECTS
from tanpuhui.science.engine.grammar import KEYWORDS
from tanpuhui.science.engine.mathml import formula_mathml

SAMPLE_CPU_SECONDS = 10.0
"""A sample that keeps the processor longer than this hangs, as far as a waiting author is concerned."""

LEAST_SECONDS = 20.0

NAMES = ["小班", "strata", "蓄积", "volume", "树种", "species", "监测", "碳储量", "carbon", "measured_on", "密度", "density",
         "含碳率", "扣减率", "生长", "期初", "期末", "start_date", "结果", "result", "不存在", "若干", "_", "x" * 61]  # fmt: skip
MARKS = ["+", "-", "−", "*", "×", "/", "÷", "(", ")", ",", "，", "<", "<=", "≥", "=", "!=", "≠", "[t]", "[tCO2/tC]", "[m3]",
         "[", "]", "[furlong]", "'杨树'", "'2016-01-31'", "'2016-02-31'", "'", '"', "%", "\x00", "\u202e", "\n", "#", ";"]  # fmt: skip
NUMBERS = [
    "0",
    "1",
    "44",
    "12",
    "0.5",
    "9" * 30,
    "9" * 31,
    "0." + "1" * 30,
    "1e9",
    "6",
    "19",
    "-1",
    ".5",
    "1.",
    "١",
]
PHRASES = ["合计(小班, 蓄积)", "sum(strata, volume, 树种 = '杨树')", "计数(监测)", "查表(密度, 树种)", "查表(扣减率, 0.1)", "天数(期初, 期末)",
           "取值(监测, 碳储量, 期末, 6, half_up)", "exp(0.1, 6, half_up)", "ln(2, 6, half_up)", "power(2, 0.5, 6, floor)",
           "sqrt(2, 6, 向上)", "round(1 / 3, 6, half_even)", "若 1 < 2 则 3 否则 4", "clip(5, 0, 1)", "convert(1[t], [kg])"]  # fmt: skip
PLAIN = ["0.3", "2", "0", "19.75", "计数(小班)", "count(strata, volume > 50[m3])", "查表(扣减率, 0.1)", "exp(0.1, 6, half_up)", "ln(2, 6, half_up)",
         "sqrt(2, 6, 向上)", "round(1 / 3, 6, half_even)", "round(天数(期初, 期末) / 1[day], 0, floor)"]  # fmt: skip
WORDS = [*sorted(KEYWORDS), "half_up", "floor", "向上"]
HOSTILE = ["", "~", "null", "yes", "9" * 40, "-" + "9" * 19, "1e400", "0." + "0" * 18 + "1", "NaN", "Infinity", "2016-13-01",
           "&a x", "*a", "!!python/object:os.system x", "{{{{", "[[[[", "]", "}", "'", '"', "|", ">-", "? x", "- - - -", "%YAML 1.1",
           "---", "...", "\t", "\x00", "\u202e", "\U0001F600", "x" * 5000, "[" * 40 + "]" * 40, "{a: " * 30 + "}" * 30, "<<: *a",
           "kgCO2e/(person*km)", "t^9", "1/0", "甲" * 100]  # fmt: skip
SPLIT = re.compile(r"(\s+|[^\w\s])")


@dataclass
class Findings:
    """How many samples there were, what became of them, and the faults: the sample with its error."""

    samples: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)


Sample = tuple[str, Mapping[str, bytes]]
"""What is done with the files, and the files."""


def fuzz(
    *, seed: int, seconds: float = math.inf, samples_max: float = math.inf, faults_max: int = 5
) -> Findings:
    """Try samples for so long, or so many of them; stop early at so many faults."""
    found = Findings()
    source = samples(random.Random(seed))
    until = time.monotonic() + seconds
    while time.monotonic() < until and found.samples < samples_max and len(found.faults) < faults_max:
        sample = next(source)
        began = time.process_time()
        outcome, error = attempt(sample)
        spent = time.process_time() - began
        found.samples += 1
        found.outcomes[outcome] += 1
        found.slowest_s = max(found.slowest_s, spent)
        if error or spent > SAMPLE_CPU_SECONDS:
            found.faults.append(told(least(sample, outcome) if error else sample, outcome, error, spent))
    return found


def attempt(sample: Sample) -> tuple[str, str]:
    """Do with the files what the product does with a stranger's, and say what came of it, and the error if one did."""
    action, files = sample
    try:
        _ACTIONS[action](files)
    except Refusal as refusal:
        return str(refusal.data.get("problem", refusal.code)), ""
    except Exception as error:  # noqa: BLE001 - anything but a refusal is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}", traceback.format_exc(
            limit=-6
        )
    return "accepted", ""


def least(sample: Sample, outcome: str) -> Sample:
    """Cut lines, then words, away as long as the same error comes, for a while."""
    action, files = sample
    until = time.monotonic() + LEAST_SECONDS
    for path in sorted(files):
        for separator in ("\n", " "):
            parts = files[path].decode("utf-8", "surrogateescape").split(separator)
            size = len(parts) // 2
            while size:
                start = 0
                while start < len(parts) and time.monotonic() < until:
                    fewer = [*parts[:start], *parts[start + size :]]
                    candidate = {**files, path: separator.join(fewer).encode("utf-8", "surrogateescape")}
                    if attempt((action, candidate))[0] == outcome:
                        parts, files = fewer, candidate
                    else:
                        start += size
                size //= 2
    return action, files


def told(sample: Sample, outcome: str, error: str, spent: float) -> str:
    """Return what a person needs to see the fault again."""
    action, files = sample
    shown = {path: content.decode("utf-8", "backslashreplace") for path, content in files.items() if content}
    return f"{action}: {outcome} after {spent:.1f} s\n{json.dumps(shown, ensure_ascii=False, indent=1)[:4000]}\n{error}"


def samples(chance: random.Random) -> Iterator[Sample]:
    """Yield samples without end."""
    shelf = [folder(path) for path in library()]
    shelf.append(
        {
            MAIN: _forest(
                "舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * 44[tCO2/tC] / 12, 9, half_up)"
            )
        }
    )
    formulas = sorted(
        {
            line.split("formula:", 1)[1].strip()
            for files in shelf
            for line in _lines(files)
            if "formula:" in line
        }
    )
    sets = [path.read_bytes() for path in (ROOT / "jurisdictions").glob("*/parameter_sets/*.yaml")]
    packed = archive(shelf[0])
    while True:
        kind = chance.random()
        if kind < 0.45:
            yield "formula", {MAIN: _forest(_formula(chance, formulas))}
        elif kind < 0.85:
            files = dict(chance.choice(shelf))
            path = chance.choice(sorted(name for name in files if name.endswith(".yaml")))
            files[path] = _mutated(files[path], chance, shelf)
            yield "version", files
        elif kind < 0.95:
            yield "parameters", {"set.yaml": _mutated(chance.choice(sets), chance, shelf)}
        else:
            yield "archive", {"archive.zip": _bytes_changed(packed, chance)}


def _lines(files: Mapping[str, bytes]) -> list[str]:
    return files[MAIN].decode().splitlines()


def _forest(formula: str) -> bytes:
    quoted = formula.replace("'", "''").replace("\x00", "")
    text = (
        "calculations:\n  - code: only\n    name: {zh: 唯一, en: Only}\n    formulas:\n      - code: result\n"
        f"        name: {{zh: 结果, en: Result}}\n        unit: tCO2\n        formula: '{quoted}'\n"
    )
    return (HEAD + text).encode("utf-8", "surrogatepass")


def _formula(chance: random.Random, formulas: list[str]) -> str:
    kind = chance.random()
    if kind < 0.1:
        opening, closing = chance.choice(
            [
                ("(", ")"),
                ("-", ""),
                ("floor(", ")"),
                ("若 1 < 2 则 ", " 否则 1"),
                ("非 ", ""),
                ("合计(小班, ", ")"),
            ]
        )
        depth = chance.choice([5, 40, 64, 65, 200, 900])
        return opening * depth + "1" + closing * depth
    pieces = [*NAMES, *MARKS, *NUMBERS, *PHRASES, *WORDS]
    if kind < 0.45:
        joint = chance.choice(["", " ", " "])
        return joint.join(chance.choice(pieces) for _ in range(chance.choice([1, 3, 6, 12, 40, 200])))
    if kind < 0.75:
        return f"1[tCO2] * ({_grown(chance, chance.choice([1, 2, 3, 4]))})"
    tokens = [token for token in SPLIT.split(chance.choice([*formulas, *PHRASES])) if token]
    for _ in range(chance.choice([1, 1, 2, 4])):
        place = chance.randrange(len(tokens) + 1)
        match chance.randrange(4):
            case 0:
                tokens[place : place + 1] = []
            case 1:
                tokens.insert(place, chance.choice(pieces))
            case 2:
                tokens[place : place + 1] = [chance.choice(pieces)]
            case _:
                tokens[place:place] = tokens[place : place + chance.randrange(1, 8)]
    return "".join(tokens)


def _grown(chance: random.Random, depth: int) -> str:
    """Return a plain number's formula that the language mostly takes, so that what comes after it is tried as well."""
    if depth == 0:
        return chance.choice(PLAIN)
    inner = [_grown(chance, chance.randrange(depth)) for _ in range(3)]
    return chance.choice([
        "({0}) * ({1})", "({0}) + ({1})", "({0}) - ({1})", "-({0})", "min({0}, {1})", "floor({0})", "round({0}, 3, half_up)",
        "round(({0}) / (({1}) * ({1}) + 1), 6, half_even)", "round(({0}) / 7, 2, floor)", "round(({0}) / ({1}), 3, ceiling)",
        "(若 {0} < {1} 则 {2} 否则 {1})", "(if {0} >= {1} and not {1} = {2} then {2} else 0)", "clip({0}, {1}, {2})",
        "合计(小班, {0})", "合计(小班, {0}, {1} < {2})", "合计(小班, {0}, 树种 = '杨树')", "计数(小班, {0} < {1})",
        "exp(clip({0}, -9, 9), 6, half_up)", "power(2, clip({0}, 0, 3), 6, floor)", "sqrt(max({0}, 0), 4, 向下)",
        "ln(max({0}, 0.1), 3, 四舍五入)", "查表(扣减率, {0})", "取值(监测, {0}, 期末, 6, half_up)",
    ]).format(*inner)  # fmt: skip


def _mutated(content: bytes, chance: random.Random, shelf: list[dict[str, bytes]]) -> bytes:
    lines = content.decode().split("\n")
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        place = chance.randrange(len(lines))
        match chance.randrange(9):
            case 0:
                del lines[place : place + chance.choice([1, 1, 5])]
            case 1:
                lines[place:place] = lines[place : place + chance.choice([1, 3, 20])] * chance.choice(
                    [1, 1, 60]
                )
            case 2:
                other = chance.randrange(len(lines))
                lines[place], lines[other] = lines[other], lines[place]
            case 3:
                lines[place] = " " * chance.choice([1, 2, 4]) + lines[place]
            case 4:
                lines[place] = lines[place].lstrip()
            case 5 | 6:
                key, colon, _ = lines[place].partition(":")
                lines[place] = f"{key}{colon} {chance.choice(HOSTILE)}" if colon else chance.choice(HOSTILE)
            case 7:
                lines[place] = re.sub(r"[0-9.]+", chance.choice(HOSTILE), lines[place], count=1)
            case _:
                lines.insert(place, chance.choice(_lines(chance.choice(shelf))))
        lines = lines or [""]
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    return _bytes_changed(text, chance) if chance.random() < 0.1 else text


def _bytes_changed(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice([1, 3, 20])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed[: chance.choice([len(changed), len(changed), chance.randrange(1, len(changed))])])


def _use(version: MethodologyVersion, record: Mapping[str, Any]) -> None:
    """Do with a version that loads what pages and commands do with it."""
    for locale in ("zh", "en"):
        for variant in version.variants:
            formula_text(version, variant, locale=locale)
            for formula in variant.formulas:
                formula_mathml(version, variant, formula, locale=locale)
        difference_text(difference(version, version), locale=locale)
    if version.runnable:
        interpret(version, record)
        explain(version, record).as_json()
        explain(version, record, locale="en").as_text()
        if not version.interpreter_only:
            for dialect in DIALECTS:
                sql(version, dialect)


def _a_record(version: MethodologyVersion) -> dict[str, Any]:
    """Return a record at the upper bounds of its fields."""

    def value(item: Any) -> Decimal | str | date:
        if item.kind == "choice":
            return str(item.options[0])
        return date.fromordinal(int(item.high)) if item.kind == "date" else item.high

    rows = {group.code: [{item.code: value(item) for item in group.fields}] for group in version.groups}
    return {**{item.code: value(item) for item in version.fields}, **rows}


def _formula_of_a_stranger(files: Mapping[str, bytes]) -> None:
    _use(load_version(files), RECORD)


def _version_of_a_stranger(files: Mapping[str, bytes]) -> None:
    version = load_version(files)
    _use(version, _a_record(version))
    if CASES_FILE in files:
        run_cases(files)


_ACTIONS: dict[str, Callable[[Mapping[str, bytes]], Any]] = {
    "formula": _formula_of_a_stranger,
    "version": _version_of_a_stranger,
    "parameters": lambda files: load_version(
        folder(LIBRARY / "a01-bus/1.0"), parameter_set=load_parameter_set(files["set.yaml"])
    ),
    "archive": lambda files: open_archive(files["archive.zip"]),
}
