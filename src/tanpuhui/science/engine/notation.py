"""Notation (公式书写): a checked formula as people read it, by names, by symbols, or with a record's numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked, Symbol
from tanpuhui.science.engine.model import (
    Column,
    Field,
    Formula,
    Group,
    MethodologyVersion,
    Parameter,
    Variant,
)
from tanpuhui.science.engine.units import Unit, parse_unit

Naming = Callable[[Symbol], str]
# What a look-up, a sum or a series comes to in a record; None writes it out by its names.
Resolve = Callable[[Checked], Decimal | None]
SIGNS = {"*": "×", "-": "−", "+": "+", "<=": "≤", ">=": "≥", "!=": "≠", "<": "<", ">": ">", "=": "="}
WORDS = {
    "zh": {"if": "若", "then": "则", "else": "否则", "and": "且", "or": "或", "not": "非", "min": "最小", "max": "最大",
           "floor": "向下取整", "round": "舍入", "convert": "换算为", "places": "位小数", "count": "计数", "only": "；仅当 ",
           "at": "取值", "on": "，在 ", "days": "天数", "to": " 至 "},
    "en": {"if": "if", "then": "then", "else": "else", "and": "and", "or": "or", "not": "not", "min": "min", "max": "max",
           "floor": "floor", "round": "round", "convert": "in", "places": "decimals", "count": "count", "only": "; only if ",
           "at": "at", "on": ", on ", "days": "days", "to": " to "},
}  # fmt: skip
RULE_NAMES = {
    "zh": {"floor": "向下", "ceiling": "向上", "half_up": "四舍五入", "half_even": "四舍六入五成双"},
    "en": {"floor": "down", "ceiling": "up", "half_up": "half up", "half_even": "half to even"},
}
# How tightly an expression holds together; a looser one inside a tighter one gets parentheses.
MAX_EXPANDED = 60
CONDITION, OR, AND, NOT, COMPARE, SUM, PRODUCT, ATOM = range(8)


@dataclass(frozen=True, kw_only=True, slots=True)
class FormulaLine:
    """One line of a formula page: name = formula, in names and in symbols, with unit and clause."""

    code: str
    name: str
    symbol: str
    formula: str
    symbols: str
    unit: str
    role: str
    clause: str


def formula_text(
    version: MethodologyVersion, variant: Variant | str, *, locale: str = "zh"
) -> tuple[FormulaLine, ...]:
    """Return the readable formula lines of a variant, in the order they are calculated."""
    chosen = version.variant(variant) if isinstance(variant, str) else variant
    names, symbols = _names(version, chosen, locale)
    return tuple(
        FormulaLine(
            code=formula.code,
            name=formula.name.text(locale),
            symbol=symbols[formula.code],
            formula=written(formula.checked, lambda symbol: names[symbol.code], locale=locale),
            symbols=written(formula.checked, lambda symbol: symbols[symbol.code], locale=locale),
            unit=formula.unit.shown(locale),
            role=formula.role,
            clause=formula.clause,
        )
        for formula in chosen.formulas
    )


def _names(
    version: MethodologyVersion, variant: Variant, locale: str
) -> tuple[dict[str, str], dict[str, str]]:
    everything = named_items(version, variant)
    names = {item.code: item.name.text(locale) for item in everything}
    symbols = {item.code: "" if isinstance(item, Group) else item.symbol for item in everything}
    return names, {code: symbol or names[code] for code, symbol in symbols.items()}


def named_items(
    version: MethodologyVersion, variant: Variant | None
) -> list[Field | Parameter | Formula | Column | Group]:
    """Return everything of a version (and of one of its variants) that has a code and a name."""
    return [
        *version.fields,
        *version.groups,
        *(item for group in version.groups for item in group.fields),
        *version.parameters,
        *(column for table in version.tables for column in table.columns),
        *(variant.formulas if variant else ()),
    ]


def number_text(value: Decimal) -> str:
    """Return a number without trailing zeros and without an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def written(
    checked: Checked, naming: Naming, *, locale: str = "zh", resolve: Resolve = lambda _: None
) -> str:
    """Return the formula as text; `naming` says how a symbol is written, `resolve` what a look-up came to."""
    return _Writer(naming, "en" if locale.startswith("en") else "zh", resolve).write(checked)[0]


def expanded(variant: Variant, naming: Naming, *, locale: str = "zh", resolve: Resolve) -> str:
    """Return the variant's result with every earlier step written out and the record's numbers put in.

    Empty when that would be too long to read; steps that use steps can multiply.
    """
    formulas = {formula.code: formula.checked for formula in variant.formulas}
    sizes: dict[str, int] = {}
    for code, checked in formulas.items():
        sizes[code] = _size(checked, sizes)
    if sizes[variant.result.code] > MAX_EXPANDED:
        return ""
    writer = _Writer(naming, "en" if locale.startswith("en") else "zh", resolve, formulas)
    return writer.write(variant.result.checked)[0]


def _size(checked: Checked, sizes: Mapping[str, int]) -> int:
    own = sizes.get(checked.symbol.code, 1) if checked.symbol else 1
    return own + sum(_size(part, sizes) for part in checked.parts)


def value_text(value: object) -> str:
    """Return a field's, parameter's or step's value as text; a negative number in parentheses."""
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, Decimal):
        return f"“{value}”"
    return number_text(value) if value >= 0 else f"({number_text(value)})"


class _Writer:
    def __init__(
        self,
        naming: Naming,
        locale: str,
        resolve: Resolve,
        formulas: Mapping[str, Checked] | None = None,
    ) -> None:
        self.naming = naming
        self.resolve = resolve
        self.locale = locale
        self.words = WORDS[locale]
        self.formulas = formulas or {}

    def write(self, checked: Checked) -> tuple[str, int]:  # noqa: PLR0911 - one case per node type
        """Return the text and how tightly it holds together."""
        node, parts = checked.node, checked.parts
        match node:
            case tree.Number():
                return self._number(node.value, parse_unit(node.unit)), ATOM
            case tree.Text():
                return f"“{node.value}”", ATOM
            case tree.Name():
                return self._symbol(checked)
            case tree.Negative():
                return f"−{self._within(parts[0], ATOM)}", PRODUCT
            case tree.Arithmetic():
                level = PRODUCT if node.operator == "*" else SUM
                right = level + 1 if node.operator == "-" else level
                return (
                    f"{self._within(parts[0], level)} {SIGNS[node.operator]} {self._within(parts[1], right)}",
                    level,
                )
            case tree.Comparison():
                left, right_text = self._within(parts[0], SUM), self._within(parts[1], SUM)
                return f"{left} {SIGNS[node.operator]} {right_text}", COMPARE
            case tree.Logic():
                level = AND if node.operator == "and" else OR
                return (
                    f"{self._within(parts[0], level)} {self.words[node.operator]} {self._within(parts[1], level)}",
                    level,
                )
            case tree.Not():
                return f"{self.words['not']} {self._within(parts[0], ATOM)}", NOT
        if isinstance(node, tree.Lookup | tree.Total | tree.Series):
            found = self.resolve(checked)
            return (self._rows(checked) if found is None else value_text(found)), ATOM
        if isinstance(node, tree.Days | tree.Function):
            return self._function(checked), ATOM
        return self._call(checked), CONDITION if isinstance(node, tree.Condition) else ATOM

    def _function(self, checked: Checked) -> str:
        node, words = checked.node, self.words
        texts = [self.write(part)[0] for part in checked.parts]
        if isinstance(node, tree.Function):
            rule = RULE_NAMES[self.locale][node.rule]
            return f"{node.name}({', '.join(texts)}; {node.places} {words['places']}, {rule})"
        return f"{words['days']}({texts[0]}{words['to']}{texts[1]})"

    def _rows(self, checked: Checked) -> str:
        """Write a look-up, a sum or a series by its names."""
        node, words = checked.node, self.words
        name = self.naming(checked.symbol) if checked.symbol else ""
        texts = [self.write(part)[0] for part in checked.parts]
        match node:
            case tree.Total():
                only = f"{words['only']}{texts[-1]}" if node.where is not None else ""
                if node.value is None:
                    return f"{words['count']}({name}{only})"
                return f"Σ{name}({texts[0]}{only})"
            case tree.Series():
                return f"{words['at']}({name}: {texts[0]}{words['on']}{texts[1]})"
        return f"{name}({', '.join(texts)})"

    def _number(self, value: Decimal, unit: Unit) -> str:
        shown = unit.shown(self.locale)
        return f"{number_text(value)} {shown}" if shown else number_text(value)

    def _symbol(self, checked: Checked) -> tuple[str, int]:
        symbol = checked.symbol
        if symbol is None:
            message = "a name without a symbol"
            raise ValueError(message)
        inner = self.formulas.get(symbol.code)
        return self.write(inner) if inner is not None else (self.naming(symbol), ATOM)

    def _within(self, checked: Checked, level: int) -> str:
        text, own = self.write(checked)
        return text if own >= level else f"({text})"

    def _call(self, checked: Checked) -> str:
        node, words = checked.node, self.words
        texts = [self.write(part)[0] for part in checked.parts]
        match node:
            case tree.Condition():
                return f"{words['if']} {texts[0]} {words['then']} {texts[1]} {words['else']} {texts[2]}"
            case tree.Extreme():
                return f"{words[node.kind]}({', '.join(texts)})"
            case tree.Floor():
                return f"{words['floor']}({texts[0]})"
            case tree.Round():
                quotient = texts[0]
                if node.divisor is not None:
                    quotient = (
                        f"{self._within(checked.parts[0], PRODUCT)} ÷ {self._within(checked.parts[1], ATOM)}"
                    )
                rule = RULE_NAMES[self.locale][node.rule]
                return f"{words['round']}({quotient}, {node.places} {words['places']}, {rule})"
            case tree.Convert():
                return f"({texts[0]} {words['convert']} {checked.unit.shown(self.locale)})"
        message = f"no notation for {type(node).__name__}"
        raise TypeError(message)
