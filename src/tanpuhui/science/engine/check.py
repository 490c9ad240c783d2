"""Checking (核对): names, kinds, units and digits of a formula. The result is what all back ends walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.check_lookup import check_lookup
from tanpuhui.science.engine.check_rows import check_days, check_function, check_series, check_total
from tanpuhui.science.engine.checked import Checked, Kind, RowGroup, Symbol
from tanpuhui.science.engine.digits import MAX_DIGITS, MAX_PLACES, Digits, TooManyDigits, aligned
from tanpuhui.science.engine.errors import Source
from tanpuhui.science.engine.units import Unit, UnknownUnit, parse_unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Checker:
    """Checks the formulas of one scope: symbols by every name they may be called.

    `inside` is the group whose rows the formula is calculated in; `functions` says whether exp, ln, power, sqrt
    and series may stand here (classes PROJECT and EVENT).
    """

    source: Source
    scope: Mapping[str, Symbol]
    functions: bool = False
    inside: RowGroup | None = None

    def within(self, group: RowGroup) -> Checker:
        """Return the checker of formulas over the rows of a group."""
        return replace(self, scope={**self.scope, **group.scope}, inside=group)

    def check(self, node: tree.Node) -> Checked:
        """Return the checked node, or refuse at the place of the fault."""
        try:
            return self._by_type(node)
        except TooManyDigits as error:
            self.source.refuse(
                "TOO_MANY_DIGITS",
                at=node.at,
                zh=f"这一步最多可能有 {error.needed} 位数字，超过 {MAX_DIGITS} 位。请收窄字段的上下限或小数位，或先 round。",
                en=f"This step can need {error.needed} digits, more than {MAX_DIGITS}. Narrow the bounds or places, or round first.",
            )

    def _by_type(self, node: tree.Node) -> Checked:  # noqa: C901, PLR0911, PLR0912 - one case per node type
        match node:
            case tree.Number():
                return Checked(
                    node=node, kind="number", unit=self.unit(node.unit, node.at), digits=Digits.of(node.value)
                )
            case tree.Text():
                return Checked(node=node, kind="choice")
            case tree.Name():
                return self._name(node)
            case tree.Negative():
                part = self.number(node.operand)
                digits = part.digits.negated() if part.digits else None
                return Checked(node=node, kind="number", unit=part.unit, digits=digits, parts=(part,))
            case tree.Arithmetic():
                return self._arithmetic(node)
            case tree.Comparison():
                return self._comparison(node)
            case tree.Logic():
                return self._logic(node)
            case tree.Not():
                return Checked(node=node, kind="truth", parts=(self.truth(node.operand),))
            case tree.Condition():
                test, parts = self.truth(node.test), (self.number(node.then), self.number(node.otherwise))
                unit = self.one_unit(node, *parts)
                digits = _merged(Digits.union, *parts)
                return Checked(node=node, kind="number", unit=unit, digits=digits, parts=(test, *parts))
            case tree.Extreme():
                several = tuple(self.number(operand) for operand in node.operands)
                digits = _merged(Digits.lesser if node.kind == "min" else Digits.greater, *several)
                _aligned(*several)
                return Checked(
                    node=node,
                    kind="number",
                    unit=self.one_unit(node, *several),
                    digits=digits,
                    parts=several,
                )
            case tree.Floor():
                part = self.number(node.operand)
                digits = part.digits.rounded(0) if part.digits else None
                return Checked(node=node, kind="number", unit=part.unit, digits=digits, parts=(part,))
            case tree.Round():
                return self._round(node)
            case tree.Convert():
                return self._convert(node)
            case tree.Lookup():
                return check_lookup(self, node)
            case tree.Total():
                return check_total(self, node)
            case tree.Series():
                return check_series(self, node)
            case tree.Days():
                return check_days(self, node)
            case tree.Function():
                return check_function(self, node)
        message = f"no rule for {type(node).__name__}"
        raise TypeError(message)

    def unit(self, text: str, at: int) -> Unit:
        """Return the unit of the text, or refuse at the place."""
        try:
            return parse_unit(text)
        except UnknownUnit as error:
            self.source.refuse(
                "UNKNOWN_UNIT",
                at=at,
                zh=f"不认识的单位“{error}”。可用单位见《如何新增方法学》。",
                en=f"Unknown unit '{error}'. The usable units are listed in how-to-add-a-methodology.",
            )

    def _name(self, node: tree.Name) -> Checked:
        symbol = self.scope.get(node.name)
        if symbol is not None and symbol.role in {"column", "group"}:
            way = "lookup(列, 键)" if symbol.role == "column" else "sum(组, 值)"
            self.source.refuse(
                "WRONG_KIND",
                at=node.at,
                zh=f"“{node.name}”不是一个数：请写 {way}。",
                en=f"'{node.name}' is no number: write lookup(column, key) or sum(group, value).",
            )
        if symbol is None:
            known = "、".join(list(self.scope)[:12])
            self.source.refuse(
                "UNKNOWN_NAME",
                at=node.at,
                zh=f"没有名为“{node.name}”的字段、参数或前面的结果。这里可用：{known}。",
                en=f"No field, parameter or earlier result is called '{node.name}'. Known here: {known}.",
            )
        if symbol.may_be_absent:
            self.source.refuse(
                "MAY_BE_ABSENT",
                at=node.at,
                zh=f"“{node.name}”可能缺失：请在 when.present 中列出它，或另设一种算法。",
                en=f"'{node.name}' may be missing: list it under when.present, or give another variant.",
            )
        return Checked(node=node, kind=symbol.kind, unit=symbol.unit, digits=symbol.digits, symbol=symbol)

    def number(self, node: tree.Node) -> Checked:
        """Return the checked node, or refuse what is no number."""
        return self._of_kind(node, "number", "数值", "a number")

    def truth(self, node: tree.Node) -> Checked:
        """Return the checked node, or refuse what is no truth value."""
        return self._of_kind(
            node, "truth", "是非判断（如 里程 > 0[pkm]）", "a truth value (such as a comparison)"
        )

    def date(self, node: tree.Node) -> Checked:
        """Return the checked node, or refuse what is no date; a quoted text is read as one."""
        if isinstance(node, tree.Text):
            return self._quoted_date(node)
        return self._of_kind(node, "date", "日期", "a date")

    def _quoted_date(self, node: tree.Text) -> Checked:
        try:
            day = date.fromisoformat(node.value)
        except ValueError:
            self.source.refuse(
                "WRONG_KIND",
                at=node.at,
                zh="日期写成 '2016-01-31'。",
                en="A date is written '2016-01-31'.",
            )
        return Checked(node=node, kind="date", digits=Digits.of(Decimal(day.toordinal())))

    def _logic(self, node: tree.Logic) -> Checked:
        checked = Checked(node=node, kind="truth", parts=(self.truth(node.left), self.truth(node.right)))
        if any(isinstance(part.node, tree.Lookup | tree.Series) for part in checked.walk()):
            self.source.refuse(
                "LOOKUP_IN_LOGIC",
                at=node.at,
                zh="查表不能与“且”“或”写在一条里：请分成几条适用条件，或先写成一步公式。",
                en="A look-up cannot stand beside and/or: split the rule, or make it a step of its own.",
            )
        return checked

    def _of_kind(self, node: tree.Node, kind: Kind, zh: str, en: str) -> Checked:
        checked = self.check(node)
        if checked.kind != kind:
            self.source.refuse("WRONG_KIND", at=node.at, zh=f"这里应为{zh}。", en=f"Expected {en} here.")
        return checked

    def one_unit(self, node: tree.Node, *parts: Checked) -> Unit:
        """Return the one unit of all parts, or refuse."""
        first = parts[0]
        for part in parts[1:]:
            if first.unit.same_as(part.unit):
                continue
            same = first.unit.dimension == part.unit.dimension
            hint_zh = (
                "量纲相同而单位不同，请用 convert(…, [单位]) 明确换算"
                if same
                else "量纲不同，不能相加减或比较"
            )
            hint_en = (
                "same dimension, other unit: convert(…, [unit]) explicitly"
                if same
                else "the dimensions differ"
            )
            left, right = str(first.unit) or "1", str(part.unit) or "1"
            self.source.refuse(
                "UNIT_MISMATCH" if same else "DIMENSION_MISMATCH",
                at=node.at,
                zh=f"单位对不上：一边是 {left}，一边是 {right}。{hint_zh}。",
                en=f"Units do not match: {left} and {right}; {hint_en}.",
            )
        return first.unit

    def _arithmetic(self, node: tree.Arithmetic) -> Checked:
        left, right = self.number(node.left), self.number(node.right)
        if node.operator == "*":
            unit, digits = left.unit.times(right.unit), _merged(Digits.times, left, right)
        else:
            unit = self.one_unit(node, left, right)
            minus = node.operator == "-"
            digits = _merged(lambda a, b: a.plus(b.negated() if minus else b), left, right)
        return Checked(node=node, kind="number", unit=unit, digits=digits, parts=(left, right))

    def _comparison(self, node: tree.Comparison) -> Checked:
        left, right = self.check(node.left), self.check(node.right)
        if "date" in {left.kind, right.kind}:
            left, right = self.date(node.left), self.date(node.right)
        elif "choice" in {left.kind, right.kind}:
            self._choice(node, left, right)
        else:
            left, right = self.number(node.left), self.number(node.right)
            self.one_unit(node, left, right)
            _aligned(left, right)
        return Checked(node=node, kind="truth", parts=(left, right))

    def _choice(self, node: tree.Comparison, left: Checked, right: Checked) -> None:
        options = left.symbol.options if left.symbol else ()
        text = right.node.value if isinstance(right.node, tree.Text) else None
        if left.kind != right.kind or not options or text is None or node.operator not in {"=", "!="}:
            self.source.refuse(
                "WRONG_KIND",
                at=node.at,
                zh="选项字段只能写成 字段 = '选项' 或 字段 != '选项'。",
                en="A choice stands only as field = 'option' or field != 'option'.",
            )
        if text not in options:
            self.source.refuse(
                "UNKNOWN_OPTION",
                at=right.node.at,
                zh=f"没有选项“{text}”，可用：{'、'.join(options)}。",
                en=f"No option '{text}'; known: {', '.join(options)}.",
            )

    def _round(self, node: tree.Round) -> Checked:
        if not 0 <= node.places <= MAX_PLACES:
            self.source.refuse(
                "PLACES",
                at=node.at,
                zh=f"小数位应为 0 到 {MAX_PLACES} 的整数。",
                en=f"Places are a whole number, 0 to {MAX_PLACES}.",
            )
        part = self.number(node.operand)
        if node.divisor is None:
            digits = part.digits.rounded(node.places) if part.digits else None
            _scaled(part, node.places)
            return Checked(node=node, kind="number", unit=part.unit, digits=digits, parts=(part,))
        divisor = self.number(node.divisor)
        unit = part.unit.over(divisor.unit)
        if divisor.digits is None or part.digits is None:
            return Checked(node=node, kind="number", unit=unit, parts=(part, divisor))
        if divisor.digits.has_zero:
            self.source.refuse(
                "DIVISOR_MAY_BE_ZERO",
                at=node.divisor.at,
                zh=f"除数可能为 0（范围 {divisor.digits.low:f} 到 {divisor.digits.high:f}）。请把下限设为大于 0。",
                en=f"The divisor may be 0 ({divisor.digits.low:f} to {divisor.digits.high:f}). Give it a bound above 0.",
            )
        _scaled(part, divisor.digits.places + node.places)
        _scaled(divisor, part.digits.places)
        digits = part.digits.divided(divisor.digits, node.places)
        return Checked(node=node, kind="number", unit=unit, digits=digits, parts=(part, divisor))

    def _convert(self, node: tree.Convert) -> Checked:
        part, unit = self.number(node.operand), self.unit(node.unit, node.at)
        if part.unit.dimension != unit.dimension:
            self.source.refuse(
                "DIMENSION_MISMATCH",
                at=node.at,
                zh=f"{part.unit} 不能换算为 {unit}：量纲不同。",
                en=f"{part.unit} cannot become {unit}: the dimensions differ.",
            )
        ratio = part.unit.factor / unit.factor
        shift = next((n for n in range(MAX_PLACES + 1) if (ratio * 10**n).denominator == 1), None)
        if shift is None:
            self.source.refuse(
                "CONVERSION_NOT_EXACT",
                at=node.at,
                zh=f"从 {part.unit} 到 {unit} 的换算除不尽，请写成 round(a / b, 位数, 规则)。",
                en=f"{part.unit} to {unit} is no finite decimal; write round(a / b, places, rule).",
            )
        factor = Decimal(int(ratio * 10**shift)).scaleb(-shift)
        digits = part.digits.times(Digits.of(factor)) if part.digits else None
        return Checked(node=node, kind="number", unit=unit, digits=digits, factor=factor, parts=(part,))


def _merged(rule: object, *parts: Checked) -> Digits | None:
    total = parts[0].digits
    for part in parts[1:]:
        if total is None or part.digits is None:
            return None
        total = rule(total, part.digits)  # type: ignore[operator]
    return total


def _aligned(*parts: Checked) -> None:
    known = [part.digits for part in parts if part.digits is not None]
    if known:
        aligned(*known)


def _scaled(part: Checked, shift: int) -> None:
    """Refuse a rounding whose operand, counted in its smallest step, would not fit a 38-digit integer."""
    if part.digits is not None:
        needed = part.digits.whole + max(part.digits.places, shift)
        if needed > MAX_DIGITS or part.digits.places > MAX_PLACES:
            raise TooManyDigits(max(needed, 2 * part.digits.places))
