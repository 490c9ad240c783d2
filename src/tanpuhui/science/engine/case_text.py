"""Keeping a trial as a worked case (试算存为算例): one more entry in cases.yaml, everything else left as the author wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.engine import bounded_yaml
from tanpuhui.science.engine.bounded_yaml import Mapping as MarkedMapping
from tanpuhui.science.engine.bounded_yaml import Sequence as MarkedSequence
from tanpuhui.science.engine.cases import CASES_FILE
from tanpuhui.science.engine.interpreter import Result
from tanpuhui.science.engine.model import Evidence, MethodologyVersion, ParameterSet
from tanpuhui.science.engine.notation import number_text, value_text
from tanpuhui.science.engine.record import Value

NEW_FILE = "schema: tanpuhui-cases/1\ncases:\n"
SET_CODE = "draft-values"
MARK = """  # 由试算存下：应有的结果是引擎当时给出的，核对查询也由它写成。请作者核对，并换成独立写的查询。
  # Kept from a trial: the expected result is what the engine gave, and so is the check. Confirm it and write an independent one.
"""


class CaseNotKept(Refusal):
    """A trial row cannot be written into cases.yaml as it stands."""

    code = "CASE_NOT_KEPT"
    zh = "这一行没有存为算例：{zh}"
    en = "This row was not kept as a worked case: {en}"


def with_case(
    text: str | None, *, version: MethodologyVersion, values: Mapping[str, Value], result: Result
) -> tuple[str, str]:
    """Return the text of cases.yaml with one more case, and the case's code.

    `text` is the file as it stands, None where there is none. The case expects what the engine gave. Raises CaseNotKept,
    MethodologyError where the text is no YAML.
    """
    text = NEW_FILE if text is None or not text.strip() else text
    text = text if text.endswith("\n") else text + "\n"
    top = bounded_yaml.read_yaml(text.encode(), file=CASES_FILE)
    if not isinstance(top, MarkedMapping):
        raise CaseNotKept(zh="cases.yaml 不是“键: 值”的写法。", en="cases.yaml is no mapping of keys.")
    code = _free_code(text)
    needs_set = version.parameter_set is not None and bool(version.parameter_set.values.get(version.code))
    case = _case(code, values=values, result=result, set_code=SET_CODE if needs_set else "")
    text = _inserted(text, top, "cases", case)
    if needs_set and version.parameter_set is not None and SET_CODE not in text.replace(case, ""):
        top = bounded_yaml.read_yaml(text.encode(), file=CASES_FILE)
        if isinstance(top, MarkedMapping):
            text = _inserted(text, top, "parameter_sets", _set(version.parameter_set, version.code))
    return text, code


def _free_code(text: str) -> str:
    taken = {int(number) for number in re.findall(r"\btrial-([0-9]{1,6})\b", text)}
    return f"trial-{max(taken, default=0) + 1}"


def _case(code: str, *, values: Mapping[str, Value], result: Result, set_code: str) -> str:
    number = code.removeprefix("trial-")
    inputs = {name: _plain(value) for name, value in values.items()}
    lines = [
        f"  - code: {code}",
        f'    name: {{zh: 试算 {number}（待作者确认）, en: "Trial {number} (author to confirm)"}}',
        "    origin: TRIAL",
        f"    inputs: {_flow(inputs)}",
    ]  # fmt: skip
    if set_code:
        lines.insert(3, f"    parameter_set: {set_code}")
    if result.grams is None or result.remainder_g is None:
        lines.append(f"    expect: {_flow({'reason': result.reason or ''})}")
    else:
        rest = number_text(result.remainder_g)
        expected = {"grams": str(result.grams.value), "remainder_g": rest, "variant": result.variant or ""}
        lines.append(f"    expect: {_flow(expected)}")
        query = f"SELECT {result.grams.value} AS grams, {rest} AS remainder_g"
        lines.append(f"    check_sql: {_flow(query)}")
    return MARK + "\n".join(lines) + "\n"


def _set(given: ParameterSet, methodology: str) -> str:
    values = {code: _evidence(one) for code, one in given.values.get(methodology, {}).items()}
    label = {"zh": f"草稿的参数集 {given.code}", "en": f"The draft's parameter set {given.code}"}
    return "\n".join(
        [f"  - code: {SET_CODE}", "    purpose: test", f"    label: {_flow(label)}", "    values:", f"      {methodology}: {_flow(values)}", ""]
    )  # fmt: skip


def _evidence(one: Evidence) -> dict[str, object]:
    return {
        "value": number_text(one.value),
        "unit": str(one.unit) or "1",
        "confidence": one.confidence,
        "source": {"zh": one.source.zh, "en": one.source.en},
    }


def _plain(value: Value) -> object:
    if value is None:
        return ""
    if isinstance(value, Decimal | str | date):
        return (
            value
            if isinstance(value, str)
            else value_text(value)
            if isinstance(value, date)
            else f"{value:f}"
        )
    return [{name: _plain(one) for name, one in row.items()} for row in value]


def _flow(value: object) -> str:
    """Write a value as YAML on one line: JSON is YAML, and every scalar is text until the schema types it."""
    return json.dumps(value, ensure_ascii=False)


def _inserted(text: str, top: MarkedMapping, key: str, item: str) -> str:
    """Put an item at the end of a top-level list; the lines around it stay as they are."""
    lines = text.splitlines(keepends=True)
    if key not in top.entries:
        head = f"{key}:\n"
        at = top.keys["cases"].line if key != "cases" and "cases" in top.keys else len(lines)
        return "".join([*lines[:at], head, item, *lines[at:]])
    value, own = top.entries[key], top.keys[key].line
    if not isinstance(value, MarkedSequence):
        if getattr(value, "text", None) == "" and lines[own].rstrip() == f"{key}:":
            return "".join([*lines[: own + 1], item, *lines[own + 1 :]])
        raise CaseNotKept(zh=f"{key} 不是列表。", en=f"{key} is no list.")
    if lines[own].rstrip() != f"{key}:":
        if not value.items:
            return "".join([*lines[:own], f"{key}:\n", item, *lines[own + 1 :]])
        raise CaseNotKept(
            zh=f"{key} 写在一行里，请改为每项一行。", en=f"{key} stands on one line; write an item a line."
        )
    later = sorted(place.line for place in top.keys.values() if place.line > own)
    end = later[0] if later else len(lines)
    return "".join([*lines[:end], _indented(item, value), *lines[end:]])


def _indented(item: str, value: Sequence[object] | MarkedSequence) -> str:
    """Give the item the indentation of the list's first one."""
    if not isinstance(value, MarkedSequence) or not value.items:
        return item
    wanted = max(value.source.column, 0)
    return "".join(" " * wanted + line.removeprefix("  ") for line in item.splitlines(keepends=True))
