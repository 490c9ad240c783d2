"""The explanation (为什么是这么多克): the tree of steps of one record, with its own numbers, sources and clauses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any

from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.science.engine import reasons, tree
from tanpuhui.science.engine.checked import Checked, Symbol
from tanpuhui.science.engine.digits import EXACT
from tanpuhui.science.engine.evaluation import Known
from tanpuhui.science.engine.interpreter import Result, interpret
from tanpuhui.science.engine.model import Formula, MethodologyVersion, Parameter, Purpose, Variant
from tanpuhui.science.engine.notation import expanded, named_items, number_text, written
from tanpuhui.science.engine.record import Value
from tanpuhui.science.engine.steps import RowExplainer, Step, clause_of, plain_value

ROUNDED = {
    "zh": {"floor": "向下取整到克", "ceiling": "向上取整到克"},
    "en": {"floor": "Rounded down to whole grams", "ceiling": "Rounded up to whole grams"},
}
PURPOSES: dict[str, dict[Purpose, str]] = {
    "zh": {"operation": "正式核算", "demonstration": "演示值，不用于正式核算", "test": "测试值，不用于正式核算"},
    "en": {"operation": "Operation", "demonstration": "Demonstration values, not for operation",
           "test": "Test values, not for operation"},
}  # fmt: skip
REASONS = {
    "zh": {reasons.FIELD_MISSING: "缺少“{name}”。", reasons.OUT_OF_BOUNDS: "“{name}”超出允许范围。",
           reasons.TOO_MANY_PLACES: "“{name}”的小数位太多。", reasons.PARAMETER_UNSET: "参数“{name}”尚未确定取值，暂不能计算。",
           reasons.NO_CALCULATION: "这条记录的数据不符合任何一种算法。", "granted": "计入量",
           reasons.ROWS_OUT_OF_BOUNDS: "“{name}”的行数超出允许范围。", reasons.ROW_REPEATED: "“{name}”中有重复的行。",
           reasons.TABLE_VALUE_UNSET: "参数表“{name}”在这条记录的情形下还没有取值，暂不能计算。",
           reasons.SERIES_GAP: "“{name}”的监测没有覆盖所需的日期；最后一次监测之后不计入。",
           reasons.POINTS_ONLY: "这个场景只给积分，不核算减排量。", reasons.EXCLUDED: "同一人同一时段已由互斥的另一项计入（{name}）。"},
    "en": {reasons.FIELD_MISSING: "'{name}' is missing.", reasons.OUT_OF_BOUNDS: "'{name}' is outside its bounds.",
           reasons.TOO_MANY_PLACES: "'{name}' has too many decimals.",
           reasons.PARAMETER_UNSET: "The parameter '{name}' has no value yet, so this cannot be calculated.",
           reasons.NO_CALCULATION: "No calculation fits the data of this record.", "granted": "granted quantity",
           reasons.ROWS_OUT_OF_BOUNDS: "'{name}' has too few or too many rows.", reasons.ROW_REPEATED: "'{name}' repeats a row.",
           reasons.TABLE_VALUE_UNSET: "The table '{name}' has no value yet for a record like this, so this cannot be calculated.",
           reasons.SERIES_GAP: "The monitoring '{name}' does not cover the date needed; nothing counts beyond the last measurement.",
           reasons.POINTS_ONLY: "This scenario gives points only; no reduction is calculated.",
           reasons.EXCLUDED: "Another result of the same person and time, which excludes this one, counts already ({name})."},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a record counts as so many grams, or why it does not count.

    `result` is the root of the tree (the rounding); `steps` the same steps once each, in reading order: inputs,
    parameters, formulas, rounding. The three quantities of the comparison are exact grams CO2e, None where the
    variant does not name such a step.
    """

    methodology: str
    version: str
    title: str
    scenario: str
    locale: str
    purpose: Purpose
    purpose_label: str
    parameter_set: str
    label: str
    archive_sha256: str
    variant: str | None
    variant_name: str
    reason: str | None
    reason_text: str
    grams: Grams | None
    remainder_g: Decimal | None
    baseline_g: Decimal | None = None
    actual_g: Decimal | None = None
    reduction_g: Decimal | None = None
    result: Step | None = None
    steps: tuple[Step, ...] = field(default=())

    def as_text(self) -> str:
        """Return the explanation as lines of text."""
        return as_text(self)

    def as_json(self) -> str:
        """Return the explanation as JSON; numbers are texts, so that no reader makes doubles of them."""
        return as_json(self)


def explain(
    version: MethodologyVersion,
    values: Mapping[str, Value],
    *,
    locale: str = "zh",
    granted: Decimal | None = None,
) -> Explanation:
    """Return the explanation of one record; the same calculation as `interpret`, the same refusals."""
    result = interpret(version, values, granted=granted)
    language = "en" if locale.startswith("en") else "zh"
    variant = version.variant(result.variant) if result.variant else None
    common: dict[str, Any] = {
        "methodology": version.code,
        "version": version.version,
        "title": version.title.text(language),
        "scenario": version.scenario,
        "locale": language,
        "purpose": version.purpose,
        "purpose_label": PURPOSES[language][version.purpose],
        "parameter_set": version.parameter_set.code if version.parameter_set else "",
        "label": version.label.text(language),
        "archive_sha256": version.archive_sha256,
        "variant": result.variant,
        "variant_name": variant.name.text(language) if variant else "",
        "reason": result.reason,
        "reason_text": reason_text(version, result.reason, locale=language) if result.reason else "",
        "grams": result.grams,
        "remainder_g": result.remainder_g,
    }
    if variant is None or result.reason is not None:
        return Explanation(**common)
    explainer = _Explainer(
        version=version, variant=variant, result=result, values=values, locale=language, granted=granted
    )
    root = explainer.rounding()
    return Explanation(**common, **explainer.comparison(), result=root, steps=_reading_order(root))


def reason_text(version: MethodologyVersion, reason: str, *, locale: str = "zh") -> str:
    """Return the sentence for a reason code of `interpret` or of the SQL."""
    language = "en" if locale.startswith("en") else "zh"
    code, _, about = reason.partition(":")
    if code in REASONS[language]:
        names = {item.code: item.name.text(language) for item in named_items(version, None)}
        named = [names[part] for part in about.split(".") if part in names]
        other = REASONS[language]["granted"] if about == reasons.GRANTED else about
        return REASONS[language][code].format(name=" · ".join(named) or other)
    found = [predicate.message.text(language) for predicate in version.eligibility if predicate.code == code]
    return found[0] if found else reason


def _reading_order(root: Step) -> tuple[Step, ...]:
    order = {"input": 0, "parameter": 1, "rows": 2, "row": 2, "formula": 3, "rounding": 4}
    once: dict[tuple[str, str], Step] = {}
    for step in root.walk():
        once.setdefault((step.kind, step.code), step)
    return tuple(sorted(once.values(), key=lambda step: order[step.kind]))


class _Explainer:
    def __init__(
        self,
        *,
        version: MethodologyVersion,
        variant: Variant,
        result: Result,
        values: Mapping[str, Value],
        locale: str,
        granted: Decimal | None,
    ) -> None:
        self.version = version
        self.variant = variant
        self.result = result
        self.locale = locale
        self.recorded = values
        known: dict[str, Any] = {code: value for code, value in values.items() if value is not None}
        known |= {group.code: values.get(group.code) or () for group in version.groups}
        capped = version.cap.quantity if version.cap else "count"
        self.capped = capped if granted is not None and capped in known and granted != known[capped] else ""
        if self.capped and granted is not None:
            known[self.capped] = granted
        known |= {p.code: p.value for p in version.parameters if p.value is not None}
        self.known: Known = known | dict(result.steps)
        self.formulas = {formula.code: formula for formula in variant.formulas}
        self.seen: set[str] = set()
        self.names = {item.code: item.name.text(locale) for item in named_items(version, variant)}
        self.row_explainer = RowExplainer(self.known, self.names, version, locale)

    def _clause(self, code: str) -> tuple[str, str]:
        return clause_of(self.version, code, self.locale)

    def step(self, code: str) -> Step:
        """Return the step of a symbol; what it uses hangs under its first appearance only, so the tree stays small."""
        if code in self.formulas:
            first = code not in self.seen
            self.seen.add(code)
            return self._formula(self.formulas[code], with_children=first)
        for parameter in self.version.parameters:
            if parameter.code == code:
                return self._parameter(parameter)
        return self._input(code)

    def _input(self, code: str) -> Step:
        item = self.version.activity_field(code)
        note = item.note.text(self.locale)
        if code == self.capped:
            recorded = self.recorded[code]
            shown = number_text(recorded) if isinstance(recorded, Decimal) else str(recorded)
            unit = item.display_unit.text(self.locale)
            capped = (
                f"记录 {shown} {unit}，超出上限的部分不计"
                if self.locale == "zh"
                else f"recorded {shown} {unit}; what exceeds the cap does not count"
            )
            note = f"{note}；{capped}" if note else capped
        return Step(
            kind="input", code=code, name=item.name.text(self.locale), symbol=item.symbol, value=plain_value(self.known[code]),
            unit=item.display_unit.text(self.locale), note=note,
        )  # fmt: skip

    def _parameter(self, parameter: Parameter) -> Step:
        active = parameter.active
        if active is None:
            message = f"{parameter.code} has no value"
            raise ValueError(message)
        document, text = self._clause(active.clause or parameter.clause)
        return Step(
            kind="parameter",
            code=parameter.code,
            name=parameter.name.text(self.locale),
            symbol=parameter.symbol,
            value=active.value,
            unit=parameter.unit.shown(self.locale),
            note=parameter.note.text(self.locale),
            source=active.source.text(self.locale),
            url=active.url,
            clause=document,
            clause_text=text,
            confidence=active.confidence,
            label=active.label.text(self.locale),
            origin=parameter.origin,
        )

    def _formula(self, formula: Formula, *, with_children: bool) -> Step:
        document, text = self._clause(formula.clause)
        is_result = formula.code == self.variant.result.code
        return Step(
            kind="formula",
            code=formula.code,
            name=formula.name.text(self.locale),
            symbol=formula.symbol,
            value=self.result.steps[formula.code],
            unit=formula.unit.shown(self.locale),
            role=formula.role,
            note=formula.note.text(self.locale),
            clause=document,
            clause_text=text,
            formula=written(formula.checked, lambda symbol: self.names[symbol.code], locale=self.locale),
            substituted=written(
                formula.checked, self._value_of, locale=self.locale, resolve=self.row_explainer.resolve
            ),
            expanded=expanded(
                self.variant, self._value_of, locale=self.locale, resolve=self.row_explainer.resolve
            )
            if is_result
            else "",
            children=tuple(self._children(formula.checked)) if with_children else (),
        )

    def _value_of(self, symbol: Symbol) -> str:
        return self.row_explainer.written_value(symbol, self.known)

    def _children(self, checked: Checked) -> Iterator[Step]:
        """Yield the steps that a formula uses; those of a condition too, whichever way it went."""
        if isinstance(checked.node, tree.Name) and checked.symbol is not None:
            yield self.step(checked.symbol.code)
        elif isinstance(checked.node, tree.Total | tree.Series):
            outside = checked.parts[1:] if isinstance(checked.node, tree.Series) else ()
            for part in outside:
                yield from self._children(part)
            yield from self.row_explainer.rows(checked)
        else:
            for part in checked.parts:
                yield from self._children(part)
            if isinstance(checked.node, tree.Lookup):
                yield from self.row_explainer.cells(checked, self.known)

    def rounding(self) -> Step:
        """Return the root: to whole grams, with its remainder."""
        grams, remainder = self.result.grams, self.result.remainder_g
        if grams is None or remainder is None:
            message = "a record that does not count has no rounding"
            raise ValueError(message)
        document, text = self._clause(self.version.rounding.clause)
        shown = number_text(remainder)
        zh = f"余 {shown} g 随记录留存，不累计" if remainder else "没有余数"
        en = (
            f"The remainder of {shown} g is kept with the record and not carried"
            if remainder
            else "No remainder"
        )
        return Step(
            kind="rounding",
            code="rounding",
            name=ROUNDED[self.locale][self.version.rounding.rule],
            value=Decimal(grams.value),
            unit="g CO2e",
            note=zh if self.locale == "zh" else en,
            clause=document,
            clause_text=text,
            remainder_g=remainder,
            children=(self.step(self.variant.result.code),),
        )

    def comparison(self) -> dict[str, Any]:
        """Return the exact grams of the steps that play a part in the comparison."""
        found: dict[str, Any] = {}
        with localcontext(EXACT):
            for formula in self.variant.formulas:
                if (
                    formula.role in {"baseline", "actual", "reduction"}
                    and formula.unit.factor.denominator == 1
                ):
                    found[f"{formula.role}_g"] = self.result.steps[formula.code] * int(formula.unit.factor)
        return found


def as_text(explanation: Explanation) -> str:
    """Return the explanation as lines of text, one step a line."""
    zh = explanation.locale == "zh"
    lines = [f"{explanation.title}  [{explanation.purpose_label}]"]
    if explanation.label:
        lines.append(explanation.label)
    if explanation.reason is not None:
        lines.append(
            f"{'不计入：' if zh else 'Does not count: '}{explanation.reason_text} ({explanation.reason})"
        )
    for number, step in enumerate(explanation.steps, 1):
        formula = f"{step.substituted} = " if step.substituted else ""
        about = [
            step.note,
            step.source,
            step.label,
            step.confidence and f"{'可信度' if zh else 'confidence'} {step.confidence}",
        ]
        if step.kind in {"formula", "rounding"}:
            about.append(step.clause)
        told = "; ".join(item for item in about if item)
        lines.append(
            f"{number}. {step.name}: {formula}{step.value_text} {step.unit}" + (f"  ({told})" if told else "")
        )
    return "\n".join(lines) + "\n"


def as_json(explanation: Explanation) -> str:
    """Return the explanation as JSON with sorted keys; numbers are texts, `steps` is flat, `result` is the tree."""
    return json.dumps(_plain(explanation), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Grams):
        return str(value.value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Explanation):
        flat = replace(value, steps=tuple(replace(step, children=()) for step in value.steps))
        return {name: _plain(getattr(flat, name)) for name in type(value).__slots__}
    if isinstance(value, Step):
        return {name: _plain(getattr(value, name)) for name in type(value).__slots__}
    return value
