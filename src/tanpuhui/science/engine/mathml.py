"""Typesetting (公式排版): a checked formula as MathML Core, from the same tree that calculates.

A browser draws it without script or font of ours; a screen reader reads it. `notation` writes the same as plain text,
and the two stand beside each other on the formula page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked
from tanpuhui.science.engine.evaluation import Known, evaluate
from tanpuhui.science.engine.model import Formula, Group, MethodologyVersion, Variant
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
    named_items,
    number_text,
    value_text,
)
from tanpuhui.science.engine.units import parse_unit

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
COMMA = '<mo separator="true">,</mo>'
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
) -> str:
    """Return `symbol = formula` as one `<math>` element."""
    setter = _Setter(version, variant, locale=locale)
    return _math(setter.name(formula.code) + _operator("=") + setter.box(formula.checked).markup)


def values_mathml(
    version: MethodologyVersion,
    variant: Variant,
    formula: Formula,
    values: Known,
    *,
    locale: str = "zh",
) -> str:
    """Return `symbol = formula with a record's numbers = result unit`; `values` are by code, with the step's own.

    A look-up, a sum or a series stands as the number it comes to.
    """
    setter = _Setter(version, variant, locale=locale, values=values)
    result = _number(values[formula.code], formula.unit.shown(locale))
    shown = setter.name(formula.code), setter.box(formula.checked).markup, result
    return _math(_operator("=").join(shown))


def condition_mathml(
    version: MethodologyVersion,
    checked: Checked,
    *,
    variant: Variant | None = None,
    locale: str = "zh",
) -> str:
    """Return a truth value (eligibility rule, where-clause) as one `<math>` element."""
    return _math(_Setter(version, variant, locale=locale).box(checked).markup)


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


def _named(function: str) -> str:
    return f'<mi class="fn" mathvariant="normal">{function}</mi>'


def _fence(sign: str, *, tall: bool) -> str:
    """A parenthesis at its own size; a tall one is enlarged by the style sheet, because few fonts can stretch one."""
    high = ' class="tall"' if tall else ""
    return f'<mo stretchy="false"{high}>{sign}</mo>'


def _fenced(box: _Box, left: str = "(", right: str = ")") -> _Box:
    markup = f"<mrow>{_fence(left, tall=box.tall)}{box.markup}{_fence(right, tall=box.tall)}</mrow>"
    return _Box(markup, ATOM, box.tall)


def _number(value: object, unit: str = "") -> str:
    if not isinstance(value, Decimal):
        return _word(value_text(value))
    digits = f"<mn>{number_text(abs(value))}</mn>"
    if value < 0:
        digits = f"<mrow>{_operator('−')}{digits}</mrow>"
    return f'<mrow>{digits}<mspace width="0.22em"/>{_word(unit_text(unit), "u")}</mrow>' if unit else digits


def _set_name(symbol: str, name: str, below: str = "") -> str:
    """Set a symbol: the letter italic, its subscript upright; a name without symbol stays a word.

    `below` is set mathematics that joins the subscript: the keys of a look-up.
    """
    letter, _, own = symbol.partition("_")
    base = f'<mi class="v">{escape(letter)}</mi>' if symbol else f"<mtext>{escape(name)}</mtext>"
    under = [f'<mi class="s" mathvariant="normal">{escape(own.replace("_", ","))}</mi>'] if own else []
    under += [below] if below else []
    if not under:
        return base
    joined = under[0] if len(under) == 1 else f"<mrow>{COMMA.join(under)}</mrow>"
    return f"<msub>{base}{joined}</msub>"


class _Setter:
    """Sets checked nodes. A test fails on a node of the language that it cannot set."""

    def __init__(
        self,
        version: MethodologyVersion,
        variant: Variant | None,
        *,
        locale: str,
        values: Known | None = None,
    ) -> None:
        self.locale = "en" if locale.startswith("en") else "zh"
        self.words = WORDS[self.locale]
        self.values = values
        self.items = {item.code: item for item in named_items(version, variant)}

    def name(self, code: str, *, below: str = "") -> str:
        item = self.items[code]
        symbol = "" if isinstance(item, Group) else item.symbol
        return _set_name(symbol, item.name.text(self.locale), below)

    def box(self, checked: Checked) -> _Box:  # noqa: C901, PLR0911, PLR0912 - one case per node type
        node = checked.node
        match node:
            case tree.Number():
                return _Box(_number(node.value, parse_unit(node.unit).shown(self.locale)))
            case tree.Text():
                return _Box(_word(node.value if checked.kind == "date" else f"“{node.value}”"))
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
            case tree.Function():
                box = self._function(node, checked.parts)
                return self._bracketed(box, self._places(node.places, node.rule))
            case tree.Days():
                start, end = (self.box(part).markup for part in checked.parts)
                between = f"<mrow>{start}{_word(self.words['to'], 'w')}{end}</mrow>"
                return _Box(f"<mrow>{_named(self.words['days'])}{_fenced(_Box(between)).markup}</mrow>")
            case tree.Lookup() | tree.Total() | tree.Series():
                return self._over_rows(checked) if self.values is None else self._found(checked)
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
        return _amount(self.values[code])

    def _found(self, checked: Checked) -> _Box:
        """Set what a look-up, a sum or a series comes to in the record."""
        return _amount(evaluate(checked, self.values or {}))

    def _over_rows(self, checked: Checked) -> _Box:
        """Set a look-up by its keys, a sum over its rows, a series at its date."""
        node, parts = checked.node, checked.parts
        code = checked.symbol.code if checked.symbol else ""
        if isinstance(node, tree.Lookup):
            return _Box(self.name(code, below=COMMA.join(self.box(part).markup for part in parts)))
        if isinstance(node, tree.Series):
            value = self.box(parts[0])
            when = f"{_word(self.words['on'].lstrip('，, '), 'w')}{self.box(parts[1]).markup}"
            under = f"<mrow>{self.name(code)}{COMMA}{when}</mrow>"
            return _Box(f"<msub>{_fenced(value, '[', ']').markup}{under}</msub>", ATOM, value.tall)
        only = ""
        if isinstance(node, tree.Total) and node.where is not None:
            only = f"{_word(self.words['only'].strip('；; '), 'w')}{self.box(parts[-1]).markup}"
        rows = COMMA.join(part for part in (self.name(code), only) if part)
        if isinstance(node, tree.Total) and node.value is None:
            return _Box(f"<mrow>{_named(self.words['count'])}{_fenced(_Box(rows)).markup}</mrow>")
        value = self._within(parts[0], PRODUCT)
        total = (
            f'<munder><mo class="sum" largeop="true" movablelimits="false">∑</mo><mrow>{rows}</mrow></munder>'
        )
        return _Box(f"<mrow>{total}{value.markup}</mrow>", SUM, tall=True)

    def _function(self, node: tree.Function, parts: Sequence[Checked]) -> _Box:
        """Set a root, a power, the exponential or the logarithm as mathematics writes them."""
        first = self.box(parts[0])
        match node.name:
            case "sqrt":
                return _Box(f"<msqrt>{first.markup}</msqrt>", ATOM, first.tall)
            case "exp":
                return _Box(f'<msup><mi mathvariant="normal">e</mi><mrow>{first.markup}</mrow></msup>')
            case "power":
                base, exponent = self._within(parts[0], ATOM), self.box(parts[1])
                return _Box(f"<msup>{base.markup}<mrow>{exponent.markup}</mrow></msup>", ATOM, base.tall)
        return _Box(f"<mrow>{_named('ln')}{_fenced(first).markup}</mrow>", ATOM, first.tall)

    def _places(self, places: int, rule: tree.Rule) -> str:
        comma = "，" if self.locale == "zh" else ", "
        return f"{places} {self.words['places']}{comma}{RULE_NAMES[self.locale][rule]}"

    def _joined(self, checked: Checked, between: str, level: int, right_level: int) -> _Box:
        left, right = self._within(checked.parts[0], level), self._within(checked.parts[1], right_level)
        return _Box(f"<mrow>{left.markup}{between}{right.markup}</mrow>", level, left.tall or right.tall)

    def _call(self, word: str, parts: Sequence[Checked]) -> _Box:
        boxes = [self.box(part) for part in parts]
        listed = COMMA.join(box.markup for box in boxes)
        inner = _fenced(_Box(listed, ATOM, any(box.tall for box in boxes)))
        return _Box(f"<mrow>{_named(word)}{inner.markup}</mrow>", ATOM, inner.tall)

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
        return self._bracketed(box, self._places(node.places, node.rule))

    def _bracketed(self, box: _Box, how: str) -> _Box:
        """Set a part in brackets that say, lowered, what is done with it."""
        return _Box(f"<msub>{_fenced(box, '[', ']').markup}{_word(how, 'n')}</msub>", ATOM, box.tall)


def _amount(value: object) -> _Box:
    return _Box(_number(value), SUM if isinstance(value, Decimal) and value < 0 else ATOM)


def _case(value: str, when: str) -> str:
    return f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>"
