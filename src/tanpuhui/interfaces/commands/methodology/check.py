"""`check FOLDER …`: does a version load, do its worked cases come out, and what does it still lack."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.commands.methodology.folders import read_files, read_parameter_set
from tanpuhui.interfaces.commands.methodology.sentences import Unusable, printable, show_refusal
from tanpuhui.science.engine import MethodologyVersion, ParameterSet, load_version
from tanpuhui.science.engine.cases import CaseOutcome, check_agrees, run_cases
from tanpuhui.science.engine.model import Parameter

PASSED, FAILED, FAULTY = 0, 1, 2


def run(options: argparse.Namespace) -> int:
    """Check every folder and return the worst status."""
    parameter_set = read_parameter_set(options.parameters)
    english = options.lang == "en"
    return max(_check(folder, parameter_set, english=english) for folder in options.folders)


def _check(folder: Path, parameter_set: ParameterSet | None, *, english: bool) -> int:
    try:
        files = read_files(folder)
        version = load_version(files, parameter_set=parameter_set)
        outcomes = run_cases(files)
    except Unusable as refusal:
        show_refusal(refusal)
        return FAULTY
    except Refusal as refusal:
        show_refusal(refusal, folder=str(folder))
        return FAULTY
    print(printable(f"{version.code} {version.title.text('en' if english else 'zh')}  {folder}"))
    print(f"  archive {version.archive_sha256}")
    failed = False
    lines = [*_cases(outcomes, english=english)]
    for passed, line in lines:
        failed = failed or not passed
        print(printable(line))
    for line in _unset(version, english=english):
        print(printable(line))
    return FAILED if failed else PASSED


def _cases(outcomes: tuple[CaseOutcome, ...], *, english: bool) -> Iterator[tuple[bool, str]]:
    """Yield a line that counts the cases, and one for each that fails; a version without cases fails."""
    if not outcomes:
        yield False, "  ✗ no worked case (cases.yaml)" if english else "  ✗ 没有算例（cases.yaml）"
        return
    faults: list[str] = []
    queried = 0
    for outcome in outcomes:
        queried += bool(outcome.case.check_sql)
        told = _case_fault(outcome, english=english)
        if told:
            name = outcome.case.name.text("en" if english else "zh")
            faults.append(f"  ✗ {outcome.case.code} {name}: {told}")
    good = len(outcomes) - len(faults)
    sign = "✗" if faults else "✓"
    yield (
        not faults,
        f"  {sign} {good} of {len(outcomes)} worked cases pass; {queried} have an independent query"
        if english
        else f"  {sign} 算例 {good}/{len(outcomes)} 通过，其中 {queried} 个另有独立查询核对",
    )
    for fault in faults:
        yield False, fault


def _case_fault(outcome: CaseOutcome, *, english: bool) -> str:
    """Say how a case differs from what it expects, or how its query does; nothing when all agree."""
    if not outcome.passed:
        return (
            f"expected {outcome.expected}; found {outcome.found}"
            if english
            else f"应为 {outcome.expected}；算得 {outcome.found}"
        )
    if not outcome.case.check_sql:
        return ""
    try:
        row = _queried(outcome.case.check_sql)
    except Refusal as refusal:
        return refusal.message("en" if english else "zh")
    if check_agrees(outcome.case, row):
        return ""
    told = ", ".join(f"{name} {value}" for name, value in row.items())
    return (
        f"the independent query gives {told}; expected {outcome.expected}"
        if english
        else f"独立查询得 {told}；应为 {outcome.expected}"
    )


def _queried(check_sql: str) -> dict[str, object]:
    """Run an independent query, which `read_cases` has found to compute with numbers only, in an empty database."""
    import duckdb

    with duckdb.connect(config={"threads": 1, "memory_limit": "256MB"}) as connection:
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            result = connection.execute(check_sql)
            names: list[str] = [column[0] for column in result.description]
            row: Any = result.fetchone()
        except duckdb.Error as error:
            first = str(error).partition("\n")[0]
            raise Unusable(
                zh=f"独立查询执行不了：{first}", en=f"The independent query fails: {first}"
            ) from error
    return dict(zip(names, row or (), strict=True))


def _unset(version: MethodologyVersion, *, english: bool) -> Iterator[str]:
    """Yield what has no value, and what each of these blocks."""
    unset = [parameter for parameter in version.parameters if parameter.value is None]
    if not unset:
        yield "  ✓ every parameter has a value" if english else "  ✓ 参数都有取值"
    else:
        yield f"  ! parameters without a value: {len(unset)}" if english else f"  ! 未定参数 {len(unset)} 个"
        for parameter in unset:
            yield _blocks(version, parameter, english=english)
    for table in version.tables:
        if table.waiting:
            name = f"{table.name.text('en' if english else 'zh')} ({table.code})"
            yield (
                f"  ! table {name}: {table.waiting} cells without a value; records that need one do not count"
                if english
                else f"  ! 参数表 {name}：{table.waiting} 格没有取值，用到它们的记录不计入"
            )
    if version.methodology_class == "POINTS":
        yield (
            "  ✓ it gives points only and judges records" if english else "  ✓ 只给积分：判断记录，不算减排量"
        )
        return
    if version.runnable:
        yield "  ✓ it can calculate" if english else "  ✓ 可以计算"
    else:
        yield (
            "  ! nothing can calculate until those values are given by a parameter set (--parameters)"
            if english
            else "  ! 这些取值由参数集（--parameters）给出之前，不能计算"
        )


def _blocks(version: MethodologyVersion, parameter: Parameter, *, english: bool) -> str:
    code, language = parameter.code, "en" if english else "zh"
    name = f"{parameter.name.text(language)} ({code})"
    if code in version.blocked_by:
        return f"    {name}: {'blocks the whole version' if english else '整个版本不能计算'}"
    rules = [rule.code for rule in version.eligibility if code in rule.checked.unset]
    variants = [v.name.text(language) for v in version.variants if code in version.variant_unset(v)]
    told = []
    if variants:
        listed = ", ".join(variants)
        told.append(f"blocks the calculation {listed}" if english else f"算法“{listed}”不能计算")
    if rules:
        listed = ", ".join(rules)
        told.append(
            f"blocks records that meet the rule {listed}" if english else f"遇到规则 {listed} 的记录不能计算"
        )
    return f"    {name}: {('; ' if english else '；').join(told) or ('blocks nothing' if english else '不挡住什么')}"
