"""The explanation (为什么是这么多克): the tree of steps of one record, with its own numbers, sources and clauses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any, Literal

from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.science.engine import interpreter as engine
from tanpuhui.science.engine.digits import EXACT
from tanpuhui.science.engine.interpreter import Result, Value, interpret
from tanpuhui.science.engine.model import (
    Clause,
    Field,
    Formula,
    MethodologyVersion,
    Parameter,
    Purpose,
    Variant,
)
from tanpuhui.science.engine.notation import expanded, number_text, value_text, written

PURPOSES: dict[str, dict[Purpose, str]] = {
    "zh": {"operation": "正式核算", "demonstration": "演示值，不用于正式核算", "test": "测试值，不用于正式核算"},
    "en": {"operation": "Operation", "demonstration": "Demonstration values, not for operation",
           "test": "Test values, not for operation"},
}  # fmt: skip
REASONS = {
    "zh": {engine.FIELD_MISSING: "缺少“{name}”。", engine.OUT_OF_BOUNDS: "“{name}”超出允许范围。",
           engine.TOO_MANY_PLACES: "“{name}”的小数位太多。", engine.PARAMETER_UNSET: "参数“{name}”尚未确定取值，暂不能计算。",
           engine.NO_CALCULATION: "这条记录的数据不符合任何一种算法。", "granted": "计入量"},
    "en": {engine.FIELD_MISSING: "'{name}' is missing.", engine.OUT_OF_BOUNDS: "'{name}' is outside its bounds.",
           engine.TOO_MANY_PLACES: "'{name}' has too many decimals.",
           engine.PARAMETER_UNSET: "The parameter '{name}' has no value yet, so this cannot be calculated.",
           engine.NO_CALCULATION: "No calculation fits the data of this record.", "granted": "granted quantity"},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: an input, a parameter, a formula or the rounding. `children` are the steps it uses.

    `value` is in `unit`; `formula` in names, `substituted` with the record's numbers, `expanded` (result only)
    with every earlier step written out. `confidence`, `source` and `label` stand as the parameter brought them.
    """

    kind: Literal["input", "parameter", "formula", "rounding"]
    code: str
    name: str
    symbol: str = ""
    value: Decimal | str
    unit: str
    role: str = ""
    note: str = ""
    source: str = ""
    url: str = ""
    clause: str = ""
    clause_text: str = ""
    confidence: str = ""
    label: str = ""
    origin: str = ""
    formula: str = ""
    substituted: str = ""
    expanded: str = ""
    remainder_g: Decimal | None = None
    children: tuple[Step, ...] = ()

    @property
    def value_text(self) -> str:
        """The value as a page prints it."""
        return self.value if isinstance(self.value, str) else number_text(self.value)

    def walk(self) -> Iterator[Step]:
        """Yield what this step uses before the step itself."""
        for child in self.children:
            yield from child.walk()
        yield self


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
        items: list[Field | Parameter] = [*version.fields, *version.parameters]
        named = [item.name.text(language) for item in items if item.code == about]
        return REASONS[language][code].format(name=named[0] if named else REASONS[language]["granted"])
    found = [predicate.message.text(language) for predicate in version.eligibility if predicate.code == code]
    return found[0] if found else reason


def _reading_order(root: Step) -> tuple[Step, ...]:
    order = {"input": 0, "parameter": 1, "formula": 2, "rounding": 3}
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
        self.known: dict[str, Decimal | str] = {
            code: value for code, value in values.items() if value is not None
        }
        capped = version.cap.quantity if version.cap else "count"
        self.capped = (
            capped if granted is not None and capped in self.known and granted != self.known[capped] else ""
        )
        if self.capped and granted is not None:
            self.known[self.capped] = granted
        self.known |= {p.code: p.value for p in version.parameters if p.value is not None}
        self.known |= dict(result.steps)
        self.clauses: dict[str, Clause] = {clause.code: clause for clause in version.clauses}
        self.formulas = {formula.code: formula for formula in variant.formulas}
        self.seen: set[str] = set()
        items: list[Field | Parameter | Formula] = [*version.fields, *version.parameters, *variant.formulas]
        self.names = {item.code: item.name.text(locale) for item in items}

    def _clause(self, code: str) -> tuple[str, str]:
        clause = self.clauses.get(code)
        return (clause.document, clause.text.text(self.locale)) if clause else (code, "")

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
            kind="input", code=code, name=item.name.text(self.locale), symbol=item.symbol, value=self.known[code],
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
                formula.checked, lambda symbol: value_text(self.known[symbol.code]), locale=self.locale
            ),
            expanded=expanded(self.variant, self.known, locale=self.locale) if is_result else "",
            children=tuple(self.step(symbol.code) for symbol in formula.checked.symbols())
            if with_children
            else (),
        )

    def rounding(self) -> Step:
        """Return the root: down to whole grams, with its remainder."""
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
            name="向下取整到克" if self.locale == "zh" else "Rounded down to whole grams",
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
