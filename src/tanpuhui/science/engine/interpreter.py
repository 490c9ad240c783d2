"""The interpreter (解释器): exact decimals, one record. It judges every other back end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal, localcontext

from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.science.engine import tree
from tanpuhui.science.engine.check import Checked
from tanpuhui.science.engine.digits import EXACT, places_of
from tanpuhui.science.engine.model import Field, MethodologyVersion, Variant

Value = Decimal | str | None
Known = dict[str, Decimal | str]

# Reasons of the engine itself; a code may follow after a colon. All others are codes of the methodology.
FIELD_MISSING = "FIELD_MISSING"
OUT_OF_BOUNDS = "OUT_OF_BOUNDS"
TOO_MANY_PLACES = "TOO_MANY_PLACES"
PARAMETER_UNSET = "PARAMETER_UNSET"
NO_CALCULATION = "NO_CALCULATION"
GRANTED = "granted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a record gives: grams and the exact remainder in grams, or the reason why it does not count.

    `steps` holds the value of every named step in its own unit.
    """

    grams: Grams | None
    remainder_g: Decimal | None
    variant: str | None
    reason: str | None
    steps: Mapping[str, Decimal] = field(default_factory=dict)


def interpret(
    version: MethodologyVersion, values: Mapping[str, Value], *, granted: Decimal | None = None
) -> Result:
    """Calculate one record exactly.

    `values` are by field code (a missing key is a missing value); `granted` replaces the capped field in
    the formula, after eligibility was judged on the recorded value. Raises VersionBlocked when the version
    has parameters without value that let nothing run, ValueError for a field the version does not have.
    """
    version.require_runnable()
    unknown = set(values) - {item.code for item in version.fields}
    if unknown:
        message = f"no such field in {version.code}: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    known: Known = {}
    for item in version.fields:
        value = values.get(item.code)
        reason = field_reason(item, value)
        if reason is not None:
            return _not_counted(reason)
        if value is not None:
            known[item.code] = value
    constants: Known = {p.code: p.value for p in version.parameters if p.value is not None}
    reason = _eligibility_reason(version, {**constants, **known}, known)
    if reason is not None:
        return _not_counted(reason)
    variant = choose_variant(version, known)
    if variant is None:
        return _not_counted(NO_CALCULATION)
    if variant.unset:
        return _not_counted(f"{PARAMETER_UNSET}:{variant.unset[0]}", variant.code)
    capped = version.cap.quantity if version.cap else "count"
    if granted is not None and capped in known:
        reason = _granted_reason(version.activity_field(capped), known[capped], granted)
        if reason is not None:
            return _not_counted(reason, variant.code)
        known[capped] = granted
    return _calculate(version, variant, {**constants, **known})


def _not_counted(reason: str, variant: str | None = None) -> Result:
    return Result(grams=None, remainder_g=None, variant=variant, reason=reason)


def field_reason(item: Field, value: Value) -> str | None:
    """Return why a value cannot stand in a field, or None."""
    if value is None:
        return None if item.nullable else f"{FIELD_MISSING}:{item.code}"
    if item.kind == "choice":
        return None if value in item.options else f"{OUT_OF_BOUNDS}:{item.code}"
    if not isinstance(value, Decimal):
        message = f"{item.code} takes a Decimal, not {type(value).__name__}"
        raise TypeError(message)
    if not value.is_finite() or not item.low <= value <= item.high:
        return f"{OUT_OF_BOUNDS}:{item.code}"
    return f"{TOO_MANY_PLACES}:{item.code}" if places_of(value) > item.places else None


def _granted_reason(item: Field, recorded: Decimal | str, granted: Decimal) -> str | None:
    if isinstance(recorded, str) or not item.low <= granted <= recorded:
        return f"{OUT_OF_BOUNDS}:{GRANTED}"
    return f"{TOO_MANY_PLACES}:{GRANTED}" if places_of(granted) > item.places else None


def _eligibility_reason(version: MethodologyVersion, everything: Known, known: Known) -> str | None:
    for predicate in version.eligibility:
        if not all(code in known for code in predicate.present):
            continue
        if predicate.checked.unset:
            return f"{PARAMETER_UNSET}:{predicate.checked.unset[0]}"
        if not holds(predicate.checked, everything):
            return predicate.code
    return None


def choose_variant(version: MethodologyVersion, known: Mapping[str, Decimal | str]) -> Variant | None:
    """Return the first variant whose presence and condition fit the record."""
    for variant in version.variants:
        present = all(code in known for code in variant.present)
        fits = present and not any(code in known for code in variant.absent)
        if fits and (variant.where is None or holds(variant.where, known)):
            return variant
    return None


def _calculate(version: MethodologyVersion, variant: Variant, known: Known) -> Result:
    steps: dict[str, Decimal] = {}
    for formula in variant.formulas:
        steps[formula.code] = known[formula.code] = evaluate(formula.checked, known)
    with localcontext(EXACT):
        exact_g = steps[variant.result.code] * variant.grams_factor
        grams = int(exact_g.to_integral_value(rounding=ROUND_FLOOR))
        remainder = (exact_g - grams).quantize(Decimal(1).scaleb(-version.remainder_places))
    return Result(grams=Grams(grams), remainder_g=remainder, variant=variant.code, reason=None, steps=steps)


def holds(checked: Checked, known: Mapping[str, Decimal | str]) -> bool:
    """Return whether a truth value is true."""
    node, parts = checked.node, checked.parts
    match node:
        case tree.Logic():
            left = holds(parts[0], known)
            return (
                (left and holds(parts[1], known))
                if node.operator == "and"
                else (left or holds(parts[1], known))
            )
        case tree.Not():
            return not holds(parts[0], known)
        case tree.Comparison():
            return _compare(node.operator, _operand(parts[0], known), _operand(parts[1], known))
    message = f"no truth in {type(node).__name__}"
    raise TypeError(message)


def _operand(checked: Checked, known: Mapping[str, Decimal | str]) -> Decimal | str:
    if checked.kind == "number":
        return evaluate(checked, known)
    if isinstance(checked.node, tree.Text):
        return checked.node.value
    return known[checked.symbol.code if checked.symbol else ""]


def _compare(operator: str, left: Decimal | str, right: Decimal | str) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return (left == right) == (operator == "=")
    order = (left > right) - (left < right)
    return {
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
        "=": order == 0,
        "!=": order != 0,
    }[operator]


def evaluate(checked: Checked, known: Mapping[str, Decimal | str]) -> Decimal:
    """Return the exact value of a number; nothing is rounded but in Floor and Round nodes."""
    with localcontext(EXACT):
        return _value(checked, known)


def _value(checked: Checked, known: Mapping[str, Decimal | str]) -> Decimal:  # noqa: PLR0911 - one case per node type
    node, parts = checked.node, checked.parts
    match node:
        case tree.Number():
            return node.value
        case tree.Name():
            value = known[checked.symbol.code if checked.symbol else ""]
            return value if isinstance(value, Decimal) else Decimal(value)
        case tree.Negative():
            return -_value(parts[0], known)
        case tree.Arithmetic():
            left, right = _value(parts[0], known), _value(parts[1], known)
            return (
                left * right
                if node.operator == "*"
                else left + right
                if node.operator == "+"
                else left - right
            )
        case tree.Condition():
            return _value(parts[1] if holds(parts[0], known) else parts[2], known)
        case tree.Extreme():
            several = [_value(part, known) for part in parts]
            return min(several) if node.kind == "min" else max(several)
        case tree.Floor():
            return _value(parts[0], known).to_integral_value(rounding=ROUND_FLOOR)
        case tree.Round():
            divisor = _value(parts[1], known) if node.divisor is not None else Decimal(1)
            return round_quotient(_value(parts[0], known), divisor, places=node.places, rule=node.rule)
        case tree.Convert():
            return _value(parts[0], known) * (checked.factor or Decimal(1))
    message = f"no number in {type(node).__name__}"
    raise TypeError(message)


def round_quotient(numerator: Decimal, divisor: Decimal, *, places: int, rule: tree.Rule) -> Decimal:
    """Return numerator / divisor rounded once, by integers: floor, ceiling, half_up (away from 0), half_even."""
    above, under = numerator.as_integer_ratio()
    by, of = divisor.as_integer_ratio()
    top, bottom = above * of * 10**places, under * by
    if bottom < 0:
        top, bottom = -top, -bottom
    whole, rest = divmod(top, bottom)
    twice = 2 * rest - bottom
    if rule == "ceiling":
        up = rest > 0
    elif rule == "half_up":
        up = twice > 0 or (twice == 0 and top > 0)
    else:
        up = rule == "half_even" and (twice > 0 or (twice == 0 and whole % 2 == 1))
    with localcontext(EXACT):
        return Decimal(whole + up).scaleb(-places)
