"""From a record's explanation to the steps of "这 436 g 怎么来的": the person's own numbers, each with where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.behaviour.activity.queries import RecordExplanation
from tanpuhui.interfaces.citizen.navigation import locale
from tanpuhui.interfaces.citizen.rows import CLIPPED, written_number
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import CompareBars
from tanpuhui.science.engine import MethodologyVersion
from tanpuhui.science.engine.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A numbered step: what, value and unit, or a formula and its result; then where it is from and how sure it is."""

    what: str
    value: str = ""
    unit: str = ""
    note: str = ""
    formula: str = ""
    source: str = ""
    source_url: str = ""
    confidence: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapWords:
    """A cap in words: how much of what counts in which period, with the confidence of that limit."""

    sentence: str
    source: str
    confidence: str
    label: str


def lines_of(found: RecordExplanation, version: MethodologyVersion, *, partner: str) -> tuple[Line, ...]:
    """Return the steps in the order of calculation: inputs, cap, parameters, formula, rounding, and what came after."""
    steps = found.explanation.steps
    lines = [_input(step, found, partner) for step in steps if step.kind == "input"]
    cap = _cap(found, version)
    if cap is not None:
        lines.append(cap)
    lines += [_parameter(step) for step in steps if step.kind == "parameter"]
    lines += _formulas([step for step in steps if step.kind == "formula"])
    lines += [_rounding(step) for step in steps if step.kind == "rounding"]
    if found.explanation.grams is not None and found.record.grams != found.explanation.grams:
        lines.append(
            Line(
                what=gettext("到了上限，计入"),
                value=str(found.record.grams),
                unit="g CO2e",
                note=gettext("上面是不设上限时的算法"),
            )
        )
    if found.record.floor:
        lines.append(Line(what=gettext("这一天不低于 0，调整"), value=str(found.record.floor), unit="g CO2e"))
    return tuple(lines)


def bars_of(found: RecordExplanation) -> CompareBars | None:
    """Return baseline against actual in exact grams, where the methodology compares them."""
    told = found.explanation
    if told.baseline_g is None or told.actual_g is None:
        return None
    names = {step.role: step.name for step in told.steps if step.role}
    return CompareBars(
        names.get("baseline", gettext("基准排放")),
        Decimal(_exact(told.baseline_g)),
        names.get("actual", gettext("实际排放")),
        Decimal(_exact(told.actual_g)),
        gettext("少排"),
    )


def cap_words(version: MethodologyVersion) -> CapWords | None:
    """Say a version's cap in words; an unset limit is said to be unset."""
    cap = version.cap
    if cap is None:
        return None
    parameter = next((one for one in version.parameters if one.code == cap.parameter), None)
    active = parameter.active if parameter is not None else None
    name = parameter.name.text(locale()) if parameter is not None else cap.parameter
    if cap.limit is None or parameter is None or active is None:
        return CapWords(
            sentence=gettext("%(name)s：未设值，不能入账") % {"name": name},
            source="",
            confidence="",
            label="",
        )
    return CapWords(
        sentence=f"{name} {written_number(cap.limit)} {parameter.unit.shown(locale())}",
        source=active.source.text(locale()),
        confidence=active.confidence,
        label=active.label.text(locale()),
    )


def _input(step: Step, found: RecordExplanation, partner: str) -> Line:
    started = found.record.started_at
    moment = (
        f"{timezone.localtime(started):%m-%d %H:%M}" if started is not None else f"{found.record.day:%m-%d}"
    )
    return Line(
        what=step.name,
        value=_shown(step),
        unit=step.unit,
        note=step.note,
        source=f"{partner} {moment}",
    )


def _cap(found: RecordExplanation, version: MethodologyVersion) -> Line | None:
    words = cap_words(version)
    if words is None or version.cap is None:
        return None
    record = found.record
    unit = ""
    if record.verdict != CLIPPED:
        value, what = "", gettext("没有超过上限")
    elif version.cap.quantity == "count" or record.granted is None:
        value, what = "", gettext("上限已满，没有计入")
    else:
        field = version.activity_field(version.cap.quantity)
        value, unit = written_number(record.granted), field.display_unit.text(locale())
        what = gettext("上限还剩，按它计入")
    return Line(
        what=what,
        value=value,
        unit=unit,
        note=words.sentence,
        source=words.source,
        confidence=words.confidence,
        label=words.label,
    )


def _parameter(step: Step) -> Line:
    return Line(
        what=step.name,
        value=_shown(step),
        unit=step.unit,
        note=step.note,
        source=step.source,
        source_url=step.url,
        confidence=step.confidence,
        label=step.label,
    )


def _formulas(steps: list[Step]) -> list[Line]:
    """Return one strip where the result can be written out in one line, else a strip for each formula."""
    whole = [step for step in steps if step.expanded]
    return [
        Line(
            what=step.name,
            formula=step.expanded or step.substituted,
            value=_shown(step),
            unit=step.unit,
            source=step.clause,
            note=step.formula,
        )
        for step in (whole or steps)
    ]


def _rounding(step: Step) -> Line:
    return Line(what=step.name, value=_shown(step), unit=step.unit, note=step.note, source=step.clause)


def _shown(step: Step) -> str:
    return step.value_text.replace("-", figures.MINUS) if isinstance(step.value, Decimal) else step.value_text


def _exact(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
