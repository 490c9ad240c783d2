"""Rounding (舍入): one quotient of exact numbers, rounded once by a named rule."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.digits import EXACT


def round_quotient(numerator: Decimal, divisor: Decimal, *, places: int, rule: tree.Rule) -> Decimal:
    """Return numerator / divisor rounded once, by integers: floor, ceiling, half_up (away from 0), half_even."""
    above, under = numerator.as_integer_ratio()
    by, of = divisor.as_integer_ratio()
    return _round(above * of * 10**places, under * by, places=places, rule=rule)


def round_fraction(value: Fraction, *, places: int, rule: tree.Rule) -> Decimal:
    """Return a fraction rounded once."""
    return _round(value.numerator * 10**places, value.denominator, places=places, rule=rule)


def _round(top: int, bottom: int, *, places: int, rule: tree.Rule) -> Decimal:
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
