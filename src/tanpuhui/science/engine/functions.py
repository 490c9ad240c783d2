"""Functions that are no finite decimals (函数): exp, ln, power and sqrt, rounded once and correctly."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import isqrt

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.digits import MAX_DIGITS, Digits, TooManyDigits
from tanpuhui.science.engine.rounding import round_fraction, round_quotient

# Precision is doubled until both ends of the error interval round alike; a result that still sits on a rounding
# boundary at the last precision is one exactly (such as 4 to the power 0.5) and is taken as such.
FIRST_PRECISION, LAST_PRECISION = 60, 480
# A power with a whole exponent up to this is computed exactly.
WHOLE_EXPONENT = 64


def evaluate_function(node: tree.Function, operands: tuple[Decimal, ...]) -> Decimal:
    """Return the function's value, rounded by the node's rule at its places; operands lie in the domain."""
    if node.name == "sqrt":
        return _square_root(operands[0], places=node.places, rule=node.rule)
    if node.name == "power" and _is_small_whole(operands[1]):
        exact = Fraction(operands[0]) ** int(operands[1])
        return round_fraction(exact, places=node.places, rule=node.rule)
    precision = FIRST_PRECISION
    while True:
        value, error = _approximate(node.name, operands, precision)
        ends = [round_quotient(end, Decimal(1), places=node.places, rule=node.rule) for end in
                (_wide(precision).subtract(value, error), _wide(precision).add(value, error))]  # fmt: skip
        if ends[0] == ends[1]:
            return ends[0]
        if precision >= LAST_PRECISION:
            nearest = value.quantize(Decimal(1).scaleb(-node.places - 50), context=_wide(precision))
            return round_quotient(nearest, Decimal(1), places=node.places, rule=node.rule)
        precision *= 2


def function_digits(node: tree.Function, operands: tuple[Digits, ...]) -> Digits:
    """Return the digits of the function over its operands' bounds; it is monotone in each operand."""
    context = _wide(FIRST_PRECISION)
    corners: list[tuple[Decimal, ...]] = [(end,) for end in (operands[0].low, operands[0].high)]
    if node.name == "power":
        corners = [(x, y) for (x,) in corners for y in (operands[1].low, operands[1].high)]
    if node.name == "sqrt":
        values = [(value.sqrt(context), value.sqrt(context)) for (value,) in corners]
    else:
        found = [_approximate(node.name, corner, FIRST_PRECISION) for corner in corners]
        values = [(context.subtract(v, e), context.add(v, e)) for v, e in found]
    widest = max(abs(end).adjusted() for pair in values for end in pair) + 1
    if widest + node.places > MAX_DIGITS:
        raise TooManyDigits(widest + node.places)
    step = Decimal(1).scaleb(-node.places)
    low = min(v for v, _ in values).quantize(step, ROUND_FLOOR, context)
    high = max(v for _, v in values).quantize(step, ROUND_CEILING, context)
    return Digits(low, high, node.places)


def _is_small_whole(value: Decimal) -> bool:
    return value == value.to_integral_value() and abs(value) <= WHOLE_EXPONENT


def _wide(precision: int) -> Context:
    return Context(prec=precision + 40, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _approximate(name: str, operands: tuple[Decimal, ...], precision: int) -> tuple[Decimal, Decimal]:
    """Return a value and a bound of its error. Decimal's exp and ln are correct to half a unit in the last place."""
    context = _wide(precision)
    if name == "exp":
        value = context.exp(operands[0])
    elif name == "ln":
        value = context.ln(operands[0])
    else:
        value = context.exp(context.multiply(operands[1], context.ln(operands[0])))
    if not value:
        return value, Decimal(0)
    # Every step names its context: the caller's traps what is not exact.
    return value, context.add(value.copy_abs(), 1).scaleb(-precision, context)


def _square_root(value: Decimal, *, places: int, rule: tree.Rule) -> Decimal:
    above, under = value.as_integer_ratio()
    scaled = above * 10 ** (2 * places)
    root = isqrt(scaled // under)
    exact = root * root * under == scaled
    half = (2 * root + 1) ** 2 * under - 4 * scaled  # negative when the true root lies above root + 1/2
    if rule in {"floor", "ceiling"}:
        up = rule == "ceiling" and not exact
    else:
        up = half < 0 or (half == 0 and (rule == "half_up" or root % 2 == 1))
    return Decimal(root + up).scaleb(-places)
