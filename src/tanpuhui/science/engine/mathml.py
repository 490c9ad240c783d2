"""Typesetting (公式排版): a checked formula as MathML Core, from the same tree that calculates.

A browser draws it without script or font of ours; a screen reader reads it. `notation` writes the same as plain text,
and the two stand beside each other on the formula page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked
from tanpuhui.science.engine.model import Field, Formula, MethodologyVersion, Parameter, Variant
from tanpuhui.science.engine.notation import (
    AND,
    ATOM,
    COMPARE,
    CONDITION,
    NOT,
    OR,
    PRODUCT,
    RULE_NAMES,
    SIGNS,
    SUM,
    WORDS,
    number_text,
)
from tanpuhui.science.engine.units import parse_unit

Address = Callable[[str], str]
"""Where the page says more about a code (field, parameter, step): an address such as '#p-factor', or ''."""

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
WHOLE: Mapping[str, tuple[str, str]] = {"floor": ("⌊", "⌋"), "ceiling": ("⌈", "⌉")}


@dataclass(frozen=True, slots=True)
class _Box:
    """Set mathematics: how tightly it holds together, and whether it is higher than a line."""

    markup: str
    level: int = ATOM
    tall: bool = False


def formula_mathml(
    version: MethodologyVersion,
    variant: Variant,
    formula: Formula,
    *,
    locale: str = "zh",
    address: Address | None = None,
) -> str:
    """Return `symbol = formula` as one `<math>` element, each symbol a link where `address` knows one."""
    setter = _Setter(version, variant, locale=locale, address=address)
    return _math(
        setter.name(formula.code, linked=False) + _operator("=") + setter.box(formula.checked).markup
    )


def values_mathml(
    version: MethodologyVersion,
    variant: Variant,
    formula: Formula,
    values: Mapping[str, Decimal | str],
    *,
    locale: str = "zh",
) -> str:
    """Return `symbol = formula with a record's numbers = result unit`; `values` are by code, with the step's own."""
    setter = _Setter(version, variant, locale=locale, values=values)
    result = _number(values[formula.code], formula.unit.shown(locale))
    shown = setter.name(formula.code, linked=False), setter.box(formula.checked).markup, result
    return _math(_operator("=").join(shown))


def condition_mathml(
    version: MethodologyVersion,
    checked: Checked,
    *,
    variant: Variant | None = None,
    locale: str = "zh",
    address: Address | None = None,
) -> str:
    """Return a truth value (eligibility rule, where-clause) as one `<math>` element."""
    return _math(_Setter(version, variant, locale=locale, address=address).box(checked).markup)


def symbol_mathml(symbol: str, name: str = "") -> str:
    """Return a symbol alone, for a table or a list of symbols; a name stands in where there is none."""
    return _math(_set_name(symbol, name), inline=True)


def unit_text(unit: str) -> str:
    """Return a shown unit with the subscripts of its gases: 'kg CO₂e/(人·km)'."""
    for gas in ("CO2", "CH4", "N2O"):
        unit = unit.replace(gas, gas.translate(SUBSCRIPTS))
    return unit


def _math(inner: str, *, inline: bool = False) -> str:
    display = "inline" if inline else "block"
    return f'<math display="{display}"><mrow>{inner}</mrow></math>'


def _operator(sign: str) -> str:
    return f"<mo>{escape(sign)}</mo>"


def _word(text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f"<mtext{named}>{escape(text)}</mtext>"


def _fence(sign: str, *, tall: bool) -> str:
    """A parenthesis at its own size; a tall one is enlarged by the style sheet, because few fonts can stretch one."""
    high = ' class="tall"' if tall else ""
    return f'<mo stretchy="false"{high}>{sign}</mo>'


def _fenced(box: _Box, left: str = "(", right: str = ")") -> _Box:
    markup = f"<mrow>{_fence(left, tall=box.tall)}{box.markup}{_fence(right, tall=box.tall)}</mrow>"
    return _Box(markup, ATOM, box.tall)


def _number(value: Decimal | str, unit: str = "") -> str:
    if isinstance(value, str):
        return _word(f"“{value}”")
    digits = f"<mn>{number_text(abs(value))}</mn>"
    if value < 0:
        digits = f"<mrow>{_operator('−')}{digits}</mrow>"
    return f'<mrow>{digits}<mspace width="0.22em"/>{_word(unit_text(unit), "u")}</mrow>' if unit else digits


def _set_name(symbol: str, name: str, href: str = "") -> str:
    """Set a symbol: the letter italic and a link, its subscript upright; a name without symbol stays a word."""

    def linked(text: str) -> str:
        return f'<a href="{escape(href)}">{escape(text)}</a>' if href else escape(text)

    if not symbol:
        return f"<mtext>{linked(name)}</mtext>"
    letter, _, below = symbol.partition("_")
    base = f'<mi class="v">{linked(letter)}</mi>'
    if not below:
        return base
    return f'<msub>{base}<mi class="s" mathvariant="normal">{escape(below.replace("_", ","))}</mi></msub>'


class _Setter:
    """Sets checked nodes. A test fails on a node of the language that it cannot set."""

    def __init__(
        self,
        version: MethodologyVersion,
        variant: Variant | None,
        *,
        locale: str,
        address: Address | None = None,
        values: Mapping[str, Decimal | str] | None = None,
    ) -> None:
        self.locale = "en" if locale.startswith("en") else "zh"
        self.words = WORDS[self.locale]
        self.address = address
        self.values = values
        items: list[Field | Parameter | Formula] = [*version.fields, *version.parameters]
        items += variant.formulas if variant else ()
        self.items = {item.code: item for item in items}

    def name(self, code: str, *, linked: bool = True) -> str:
        item = self.items[code]
        href = self.address(code) if self.address and linked else ""
        return _set_name(item.symbol, item.name.text(self.locale), href)

    def box(self, checked: Checked) -> _Box:  # noqa: C901, PLR0911, PLR0912 - one case per node type
        node = checked.node
        match node:
            case tree.Number():
                return _Box(_number(node.value, parse_unit(node.unit).shown(self.locale)))
            case tree.Text():
                return _Box(_word(f"“{node.value}”"))
            case tree.Name():
                return self._symbol(checked)
            case tree.Negative():
                part = self._within(checked.parts[0], ATOM)
                return _Box(f"<mrow>{_operator('−')}{part.markup}</mrow>", PRODUCT, part.tall)
            case tree.Arithmetic():
                level = PRODUCT if node.operator == "*" else SUM
                right_level = level + 1 if node.operator == "-" else level
                return self._joined(checked, _operator(SIGNS[node.operator]), level, right_level)
            case tree.Comparison():
                box = self._joined(checked, _operator(SIGNS[node.operator]), SUM, SUM)
                return _Box(box.markup, COMPARE, box.tall)
            case tree.Logic():
                level = AND if node.operator == "and" else OR
                return self._joined(checked, _word(self.words[node.operator], "w"), level, level)
            case tree.Not():
                part = self._within(checked.parts[0], ATOM)
                return _Box(f"<mrow>{_word(self.words['not'], 'w')}{part.markup}</mrow>", NOT, part.tall)
            case tree.Condition():
                return self._cases(checked)
            case tree.Extreme():
                return self._call(self.words[node.kind], checked.parts)
            case tree.Floor():
                return _fenced(self.box(checked.parts[0]), "⌊", "⌋")
            case tree.Round():
                return self._rounded(node, checked.parts)
            case tree.Convert():
                how = f"{self.words['convert']} {unit_text(checked.unit.shown(self.locale))}"
                return self._bracketed(self.box(checked.parts[0]), how)
        message = f"cannot set {type(node).__name__}"
        raise TypeError(message)

    def _within(self, checked: Checked, level: int) -> _Box:
        """Set a part; one that holds together more loosely than its surroundings gets parentheses."""
        box = self.box(checked)
        return box if box.level >= level else _fenced(box)

    def _symbol(self, checked: Checked) -> _Box:
        code = checked.symbol.code if checked.symbol else ""
        if self.values is None:
            return _Box(self.name(code))
        value = self.values[code]
        return _Box(_number(value), SUM if isinstance(value, Decimal) and value < 0 else ATOM)

    def _joined(self, checked: Checked, between: str, level: int, right_level: int) -> _Box:
        left, right = self._within(checked.parts[0], level), self._within(checked.parts[1], right_level)
        return _Box(f"<mrow>{left.markup}{between}{right.markup}</mrow>", level, left.tall or right.tall)

    def _call(self, word: str, parts: Sequence[Checked]) -> _Box:
        boxes = [self.box(part) for part in parts]
        listed = '<mo separator="true">,</mo>'.join(box.markup for box in boxes)
        inner = _fenced(_Box(listed, ATOM, any(box.tall for box in boxes)))
        return _Box(f"<mrow>{_word(word, 'f')}{inner.markup}</mrow>", ATOM, inner.tall)

    def _cases(self, checked: Checked) -> _Box:
        """Set if … then … else … as cases, one row each; an else that is a condition itself gives further rows."""
        rows: list[str] = []
        rest = checked
        while isinstance(rest.node, tree.Condition):
            test = f"{_word(self.words['if'], 'w')}{self.box(rest.parts[0]).markup}"
            rows.append(_case(self.box(rest.parts[1]).markup, test))
            rest = rest.parts[2]
        rows.append(_case(self.box(rest).markup, _word(self.words["else"], "w")))
        table = f'<mtable class="cases">{"".join(rows)}</mtable>'
        return _Box(f'<mrow><mo class="brace" stretchy="true">{{</mo>{table}</mrow>', CONDITION, tall=True)

    def _rounded(self, node: tree.Round, parts: Sequence[Checked]) -> _Box:
        """Set a named rounding: ⌊ ⌋ and ⌈ ⌉ to whole numbers, else brackets that say places and rule."""
        box = self.box(parts[0])
        if node.divisor is not None:
            box = _Box(f"<mfrac>{box.markup}{self.box(parts[1]).markup}</mfrac>", ATOM, tall=True)
        if node.places == 0 and node.rule in WHOLE:
            return _fenced(box, *WHOLE[node.rule])
        comma = "，" if self.locale == "zh" else ", "
        how = f"{node.places} {self.words['places']}{comma}{RULE_NAMES[self.locale][node.rule]}"
        return self._bracketed(box, how)

    def _bracketed(self, box: _Box, how: str) -> _Box:
        """Set a part in brackets that say, lowered, what is done with it."""
        return _Box(f"<msub>{_fenced(box, '[', ']').markup}{_word(how, 'n')}</msub>", ATOM, box.tall)


def _case(value: str, when: str) -> str:
    return f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>"
