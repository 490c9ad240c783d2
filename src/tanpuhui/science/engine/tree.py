"""The tree of a formula (公式树). Every product of the engine is made from these frozen nodes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Rule = Literal["floor", "ceiling", "half_up", "half_even"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A node knows where in its text it starts and how deep the tree under it is."""

    at: int
    depth: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Number(Node):
    """A number with its unit as written; an empty unit is dimensionless."""

    value: Decimal
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Text(Node):
    """A quoted option of a choice field."""

    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Name(Node):
    """A field, parameter or earlier result, in Chinese or Latin letters."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Negative(Node):
    """Unary minus."""

    operand: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Arithmetic(Node):
    """Addition, subtraction or multiplication."""

    operator: Literal["+", "-", "*"]
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison(Node):
    """A comparison of two values of one unit, or of a choice with a text."""

    operator: Literal["<", "<=", ">", ">=", "=", "!="]
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Logic(Node):
    """Conjunction or disjunction (且, 或)."""

    operator: Literal["and", "or"]
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Not(Node):
    """Negation (非)."""

    operand: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition(Node):
    """If … then … else … (若 … 则 … 否则 …)."""

    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Extreme(Node):
    """The least or the greatest of two or more values."""

    kind: Literal["min", "max"]
    operands: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor(Node):
    """The greatest whole number not above the operand, in its unit."""

    operand: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Round(Node):
    """A named rounding; the only place where a division (divisor) may stand."""

    operand: Node
    divisor: Node | None
    places: int
    rule: Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Convert(Node):
    """The explicit change to another unit of the same dimension (换算)."""

    operand: Node
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lookup(Node):
    """The cell of a table's column at the keys given (查表)."""

    column: str
    keys: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Total(Node):
    """The sum of a value over the rows of a group, or the number of rows; only those where the condition holds."""

    kind: Literal["sum", "count"]
    group: str
    value: Node | None
    where: Node | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Series(Node):
    """The value of a group's expression at a date, straight between the two rows around it (取值)."""

    group: str
    value: Node
    date: Node
    places: int
    rule: Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Days(Node):
    """The whole days from one date to another (天数)."""

    start: Node
    end: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Function(Node):
    """A function that is no finite decimal, rounded correctly at the named place; interpreter only."""

    name: Literal["exp", "ln", "power", "sqrt"]
    operands: tuple[Node, ...]
    places: int
    rule: Rule
