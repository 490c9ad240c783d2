"""The interpreter (解释器): exact decimals, one record. It judges every other back end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked, Guard
from tanpuhui.science.engine.digits import EXACT, places_of
from tanpuhui.science.engine.evaluation import (
    Known,
    Row,
    Scalar,
    all_rows,
    evaluate,
    find_branch,
    holds,
    rows_around,
)
from tanpuhui.science.engine.model import Field, MethodologyVersion, Variant
from tanpuhui.science.engine.reasons import (
    GRANTED,
    NO_CALCULATION,
    OUT_OF_BOUNDS,
    PARAMETER_UNSET,
    POINTS_ONLY,
    TOO_MANY_PLACES,
)
from tanpuhui.science.engine.record import Value, take_values


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
    unknown = set(values) - {*(item.code for item in version.fields), *(item.code for item in version.groups)}
    if unknown:
        message = f"no such field in {version.code}: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    known: dict[str, Scalar | Sequence[Row]] = {}
    constants: Known = {p.code: p.value for p in version.parameters if p.value is not None}
    reason = take_values(version, values, known)
    if reason is None:
        reason = _eligibility_reason(version, {**constants, **known}, known)
    if reason is None and version.methodology_class == "POINTS":
        reason = POINTS_ONLY
    variant = choose_variant(version, known) if reason is None else None
    if variant is None:
        return _not_counted(reason or NO_CALCULATION)
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


def _granted_reason(item: Field, recorded: Scalar | Sequence[Row], granted: Decimal) -> str | None:
    if not isinstance(recorded, Decimal) or not item.low <= granted <= recorded:
        return f"{OUT_OF_BOUNDS}:{GRANTED}"
    return f"{TOO_MANY_PLACES}:{GRANTED}" if places_of(granted) > item.places else None


def _eligibility_reason(version: MethodologyVersion, everything: Known, known: Known) -> str | None:
    for predicate in version.eligibility:
        if not all(code in known for code in predicate.present):
            continue
        if predicate.unset:
            return f"{PARAMETER_UNSET}:{predicate.unset[0]}"
        reason = guard_reason(predicate.guards, everything)
        if reason is not None:
            return reason
        if not holds(predicate.checked, everything):
            return predicate.code
    return None


def choose_variant(version: MethodologyVersion, known: Known) -> Variant | None:
    """Return the first variant whose presence and condition fit the record."""
    for variant in version.variants:
        present = all(code in known for code in variant.present)
        fits = present and not any(code in known for code in variant.absent)
        if fits and (variant.where is None or holds(variant.where, known)):
            return variant
    return None


def _calculate(version: MethodologyVersion, variant: Variant, known: Known) -> Result:
    steps: dict[str, Decimal] = {}
    everything = dict(known)
    for formula in variant.formulas:
        reason = guard_reason(formula.guards, everything)
        if reason is not None:
            return _not_counted(reason, variant.code)
        steps[formula.code] = everything[formula.code] = evaluate(formula.checked, everything)
    rounding = ROUND_CEILING if version.rounding.rule == "ceiling" else ROUND_FLOOR
    with localcontext(EXACT):
        exact_g = steps[variant.result.code] * variant.grams_factor
        grams = int(exact_g.to_integral_value(rounding=rounding))
        remainder = (exact_g - grams).quantize(Decimal(1).scaleb(-version.remainder_places))
    return Result(grams=Grams(grams), remainder_g=remainder, variant=variant.code, reason=None, steps=steps)


def guard_reason(guards: tuple[Guard, ...], known: Known) -> str | None:
    """Return the reason of the first look-up or series that finds nothing, or None."""
    for guard in guards:
        if not all(holds(test, known) == outcome for test, outcome in guard.path):
            continue
        # All rows: the guard's own path says which of them come to the look-up, its condition's among them.
        for row in all_rows(guard.total, known) if guard.total is not None else [{}]:
            here = {**known, **row} if row else known
            reached = all(holds(test, here) == outcome for test, outcome in guard.row_path)
            if reached and not _finds(guard.lookup, here):
                return guard.reason
    return None


def _finds(checked: Checked, known: Known) -> bool:
    if isinstance(checked.node, tree.Series):
        return rows_around(checked, known) is not None
    return find_branch(checked, known) is not None
