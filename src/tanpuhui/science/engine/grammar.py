"""The grammar of formulas (公式语法): text to tree. What is outside the grammar does not exist."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, VisitError

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.errors import Source

MAX_LENGTH = 2000
MAX_TOKENS = 600
MAX_DEPTH = 64

GRAMMAR = r"""
start: expression
?expression: _IF expression _THEN expression _ELSE expression -> condition
           | disjunction
?disjunction: conjunction | disjunction _OR conjunction -> either
?conjunction: negation | conjunction _AND negation -> both
?negation: comparison | _NOT negation -> negated
?comparison: sum | sum COMPARE sum -> compared
?sum: product | sum PLUS product -> arithmetic | sum MINUS product -> arithmetic
?product: signed | product TIMES signed -> arithmetic
?signed: atom | MINUS signed -> negative
?atom: NUMBER unit? -> number
     | NAME -> name
     | TEXT -> text
     | "(" expression ")" -> grouped
     | MIN "(" expression ("," expression)+ ")" -> extreme
     | MAX "(" expression ("," expression)+ ")" -> extreme
     | FLOOR "(" expression ")" -> floored
     | ROUND "(" sum "," NUMBER "," rule ")" -> rounded
     | ROUND "(" product SLASH atom "," NUMBER "," rule ")" -> divided
     | CONVERT "(" expression "," unit ")" -> converted
     | CLIP "(" expression "," expression "," expression ")" -> clipped
     | LOOKUP "(" NAME ("," expression)+ ")" -> looked_up
     | SUM "(" NAME "," expression ("," expression)? ")" -> summed
     | COUNT "(" NAME ("," expression)? ")" -> counted
     | AT "(" NAME "," expression "," expression "," NUMBER "," rule ")" -> at_date
     | DAYS "(" expression "," expression ")" -> days
     | (EXP | LN | SQRT) "(" expression "," NUMBER "," rule ")" -> function
     | POWER "(" expression "," expression "," NUMBER "," rule ")" -> function
unit: UNIT
rule: FLOOR | CEILING | HALF_UP | HALF_EVEN | DOWN | UP

COMPARE: "<=" | ">=" | "!=" | "<" | ">" | "=" | "≤" | "≥" | "≠"
PLUS: "+"
MINUS: "-" | "−"
TIMES: "*" | "×"
SLASH: "/" | "÷"
UNIT: /\[[A-Za-z0-9*\/^() -]{1,60}\]/
NUMBER: /[0-9]{1,30}(\.[0-9]{1,30})?/
NAME: /[A-Za-z_\u4e00-\u9fff][A-Za-z0-9_\u4e00-\u9fff]{0,59}/
TEXT: /'[^'\n]{0,60}'/
%ignore /[ \t\n]+/
"""

# A word is a keyword only when no name character follows, so that 若干 stays a name.
WORDS = {
    "_IF": "if|若", "_THEN": "then|则", "_ELSE": "else|否则", "_OR": "or|或", "_AND": "and|且", "_NOT": "not|非",
    "MIN": "min|最小", "MAX": "max|最大", "FLOOR": "floor|向下取整", "ROUND": "round|舍入", "CONVERT": "convert|换算",
    "CEILING": "ceiling", "HALF_UP": "half_up|四舍五入", "HALF_EVEN": "half_even|四舍六入五成双",
    "DOWN": "向下", "UP": "向上", "CLIP": "clip|限于", "LOOKUP": "lookup|查表", "SUM": "sum|合计", "COUNT": "count|计数",
    "AT": "at|取值", "DAYS": "days|天数", "EXP": "exp|指数", "LN": "ln|对数", "POWER": "power|幂", "SQRT": "sqrt|开方",
}  # fmt: skip
KEYWORDS = frozenset(word for words in WORDS.values() for word in words.split("|"))
RULES: dict[str, tree.Rule] = {
    "floor": "floor", "向下": "floor", "向下取整": "floor", "ceiling": "ceiling", "向上": "ceiling",
    "half_up": "half_up", "四舍五入": "half_up", "half_even": "half_even", "四舍六入五成双": "half_even",
}  # fmt: skip
FUNCTIONS = {"指数": "exp", "对数": "ln", "幂": "power", "开方": "sqrt"}
NAME_PATTERN = re.compile(r"[A-Za-z_\u4e00-\u9fff][A-Za-z0-9_\u4e00-\u9fff]{0,59}\Z")
EXPECTED = {
    "NUMBER": ("数字", "a number"), "NAME": ("名称", "a name"), "RPAR": ("“)”", "')'"), "LPAR": ("“(”", "'('"),
    "COMMA": ("“,”", "','"), "UNIT": ("[单位]", "a [unit]"), "COMPARE": ("比较符", "a comparison"),
    "PLUS": ("+", "+"), "MINUS": ("-", "-"), "TIMES": ("*", "*"), "_THEN": ("then/则", "then"),
    "_ELSE": ("else/否则", "else"), "SLASH": ("/", "/"), "$END": ("公式结束", "the end"),
    "_AND": ("且", "and"), "_OR": ("或", "or"), "HALF_UP": ("half_up", "half_up"), "FLOOR": ("floor", "floor"),
}  # fmt: skip


class _TooDeep(Exception):
    def __init__(self, at: int) -> None:
        self.at = at
        super().__init__()


def _deeper(at: int, *children: tree.Node) -> int:
    depth = 1 + max(child.depth for child in children)
    if depth > MAX_DEPTH:
        raise _TooDeep(at)
    return depth


def _start(token: Token) -> int:
    return cast("int", token.start_pos)


@v_args(inline=True)
class _Builder(Transformer[Token, tree.Node]):
    """Builds nodes while the parser reduces, so no recursion follows the depth of a hostile text."""

    def start(self, node: tree.Node) -> tree.Node:
        return node

    def grouped(self, node: tree.Node) -> tree.Node:
        return node

    def unit(self, token: Token) -> Token:
        return token

    def rule(self, token: Token) -> tree.Rule:
        return RULES[str(token)]

    def number(self, token: Token, unit: Token | None = None) -> tree.Node:
        return tree.Number(at=_start(token), value=Decimal(str(token)), unit=str(unit)[1:-1] if unit else "")

    def name(self, token: Token) -> tree.Node:
        return tree.Name(at=_start(token), name=str(token))

    def text(self, token: Token) -> tree.Node:
        return tree.Text(at=_start(token), value=str(token)[1:-1])

    def negative(self, sign: Token, node: tree.Node) -> tree.Node:
        return tree.Negative(at=_start(sign), depth=_deeper(_start(sign), node), operand=node)

    def arithmetic(self, left: tree.Node, operator: Token, right: tree.Node) -> tree.Node:
        sign: Any = {"−": "-", "×": "*"}.get(str(operator), str(operator))
        at = _start(operator)
        return tree.Arithmetic(at=at, depth=_deeper(at, left, right), operator=sign, left=left, right=right)

    def compared(self, left: tree.Node, operator: Token, right: tree.Node) -> tree.Node:
        sign: Any = {"≤": "<=", "≥": ">=", "≠": "!="}.get(str(operator), str(operator))
        at = _start(operator)
        return tree.Comparison(at=at, depth=_deeper(at, left, right), operator=sign, left=left, right=right)

    def both(self, left: tree.Node, right: tree.Node) -> tree.Node:
        depth = _deeper(right.at, left, right)
        return tree.Logic(at=right.at, depth=depth, operator="and", left=left, right=right)

    def either(self, left: tree.Node, right: tree.Node) -> tree.Node:
        depth = _deeper(right.at, left, right)
        return tree.Logic(at=right.at, depth=depth, operator="or", left=left, right=right)

    def negated(self, node: tree.Node) -> tree.Node:
        return tree.Not(at=node.at, depth=_deeper(node.at, node), operand=node)

    def condition(self, test: tree.Node, then: tree.Node, otherwise: tree.Node) -> tree.Node:
        depth = _deeper(test.at, test, then, otherwise)
        return tree.Condition(at=test.at, depth=depth, test=test, then=then, otherwise=otherwise)

    def extreme(self, word: Token, *operands: tree.Node) -> tree.Node:
        kind: Any = {"最小": "min", "最大": "max"}.get(str(word), str(word))
        at = _start(word)
        return tree.Extreme(at=at, depth=_deeper(at, *operands), kind=kind, operands=operands)

    def floored(self, word: Token, node: tree.Node) -> tree.Node:
        return tree.Floor(at=_start(word), depth=_deeper(_start(word), node), operand=node)

    def rounded(self, word: Token, node: tree.Node, places: Token, rule: tree.Rule) -> tree.Node:
        at = _start(word)
        return tree.Round(
            at=at, depth=_deeper(at, node), operand=node, divisor=None, places=_places(places), rule=rule
        )

    def divided(
        self, word: Token, node: tree.Node, _slash: Token, divisor: tree.Node, places: Token, rule: tree.Rule
    ) -> tree.Node:
        at = _start(word)
        depth = _deeper(at, node, divisor)
        return tree.Round(
            at=at, depth=depth, operand=node, divisor=divisor, places=_places(places), rule=rule
        )

    def converted(self, word: Token, node: tree.Node, unit: Token) -> tree.Node:
        at = _start(word)
        return tree.Convert(at=at, depth=_deeper(at, node), operand=node, unit=str(unit)[1:-1])

    def clipped(self, word: Token, node: tree.Node, low: tree.Node, high: tree.Node) -> tree.Node:
        at = _start(word)
        raised = tree.Extreme(at=at, depth=_deeper(at, node, low), kind="max", operands=(node, low))
        return tree.Extreme(at=at, depth=_deeper(at, raised, high), kind="min", operands=(raised, high))

    def looked_up(self, word: Token, column: Token, *keys: tree.Node) -> tree.Node:
        at = _start(word)
        return tree.Lookup(at=at, depth=_deeper(at, *keys), column=str(column), keys=keys)

    def summed(
        self, word: Token, group: Token, value: tree.Node, where: tree.Node | None = None
    ) -> tree.Node:
        at = _start(word)
        depth = _deeper(at, value, *([where] if where is not None else []))
        return tree.Total(at=at, depth=depth, kind="sum", group=str(group), value=value, where=where)

    def counted(self, word: Token, group: Token, where: tree.Node | None = None) -> tree.Node:
        at = _start(word)
        depth = _deeper(at, where) if where is not None else 1
        return tree.Total(at=at, depth=depth, kind="count", group=str(group), value=None, where=where)

    def at_date(self, word: Token, group: Token, *rest: Any) -> tree.Node:
        value, date, places, rule = rest
        at = _start(word)
        return tree.Series(
            at=at,
            depth=_deeper(at, value, date),
            group=str(group),
            value=value,
            date=date,
            places=_places(places),
            rule=rule,
        )

    def days(self, word: Token, start: tree.Node, end: tree.Node) -> tree.Node:
        at = _start(word)
        return tree.Days(at=at, depth=_deeper(at, start, end), start=start, end=end)

    def function(self, word: Token, *rest: Any) -> tree.Node:
        *operands, places, rule = rest
        at = _start(word)
        name: Any = FUNCTIONS.get(str(word), str(word))
        return tree.Function(
            at=at, depth=_deeper(at, *operands), name=name, operands=tuple(operands),
            places=_places(places), rule=rule,
        )  # fmt: skip


def _places(token: Token) -> int:
    return int(str(token)) if str(token).isdigit() else -1


@cache
def _parser() -> Lark:
    words = "".join(f"{name}.2: /({text})(?![A-Za-z0-9_\\u4e00-\\u9fff])/\n" for name, text in WORDS.items())
    return Lark(
        GRAMMAR + words, parser="lalr", lexer="contextual", transformer=_Builder(), maybe_placeholders=False
    )


def parse(source: Source) -> tree.Node:
    """Parse the source's text into a tree, or refuse with the place and what was expected."""
    text = source.text
    if len(text) > MAX_LENGTH:
        source.refuse(
            "FORMULA_TOO_LONG",
            zh=f"公式超过 {MAX_LENGTH} 个字符，请拆成几步。",
            en=f"The formula has more than {MAX_LENGTH} characters; split it into steps.",
        )
    if len(re.findall(r"\w+|[^\w\s]", text)) > MAX_TOKENS:
        source.refuse(
            "FORMULA_TOO_LONG",
            zh="公式项数过多，请拆成几步。",
            en="The formula has too many parts; split it.",
        )
    try:
        return cast("tree.Node", _parser().parse(text))
    except UnexpectedInput as error:
        _refuse_syntax(source, error)
    except _TooDeep as error:
        _refuse_depth(source, error.at)
    except VisitError as error:
        if isinstance(error.orig_exc, _TooDeep):
            _refuse_depth(source, error.orig_exc.at)
        raise


def _refuse_depth(source: Source, at: int) -> NoReturn:
    source.refuse(
        "FORMULA_TOO_DEEP",
        at=at,
        zh=f"公式嵌套超过 {MAX_DEPTH} 层，请拆成几步。",
        en=f"The formula nests more than {MAX_DEPTH} levels; split it into steps.",
    )


def _refuse_syntax(source: Source, error: UnexpectedInput) -> NoReturn:
    token = getattr(error, "token", None)
    at = getattr(error, "pos_in_stream", None)
    if token is not None and token.type == "$END":
        at = len(source.text)
    at = at if at is not None else len(source.text)
    if (token is not None and token.type == "SLASH") or source.text[at : at + 1] in {"/", "÷"}:
        source.refuse(
            "DIVISION_NOT_ROUNDED",
            at=at,
            zh="除法只能写在 round(a / b, 位数, 规则) 里，例如 round(里程 / 时长, 6, half_up)；除数是一项，多项请加括号。",
            en="Division stands only inside round(a / b, places, rule); the divisor is one item, or in parentheses.",
        )
    names = set(getattr(error, "expected", None) or getattr(error, "allowed", None) or ())
    known = [EXPECTED[name] for name in EXPECTED if name in names]
    found = repr(source.text[at : at + 12]) if at < len(source.text) else "结束/end"
    expected_zh = "、".join(zh for zh, _ in known) or "别的写法"
    expected_en = ", ".join(en for _, en in known) or "something else"
    kind = "字符" if isinstance(error, UnexpectedCharacters) else "内容"
    source.refuse(
        "SYNTAX",
        at=at,
        zh=f"这里的{kind} {found} 看不懂，应为：{expected_zh}。",
        en=f"Cannot read {found} here; expected {expected_en}.",
    )
