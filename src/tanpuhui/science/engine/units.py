"""Units (单位) of quantities, checked with Pint over a closed list; factors are exact fractions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from pint import UnitRegistry

# The whole vocabulary. CO2 counts as CO2e one to one because its global warming potential is 1 by definition;
# other gases get a dimension of their own, so that they cannot be added without a GWP; so do carbon and nitrogen,
# which 44/12 and 44/28 turn into gases. A year and a heating season are counted, not so many days.
DEFINITIONS = """
gCO2e = [co2e]
kgCO2e = 1000 * gCO2e
tCO2e = 1000000 * gCO2e
gCO2 = gCO2e
kgCO2 = 1000 * gCO2e
tCO2 = 1000000 * gCO2e
gCH4 = [ch4]
kgCH4 = 1000 * gCH4
gN2O = [n2o]
kgN2O = 1000 * gN2O
tCH4 = 1000000 * gCH4
tN2O = 1000000 * gN2O
gC = [carbon]
kgC = 1000 * gC
tC = 1000000 * gC
gN = [nitrogen]
kgN = 1000 * gN
tN = 1000000 * gN
person = [person]
vehicle = [vehicle]
trip = [trip]
item = [item]
step = [step]
head = [animal]
year = [year]
season = [season]
yuan = [money]
m = [length]
km = 1000 * m
cm = 0.01 * m
s = [time]
minute = 60 * s
h = 3600 * s
day = 86400 * s
g = [mass]
kg = 1000 * g
t = 1000000 * g
J = [energy]
kJ = 1000 * J
MJ = 1000000 * J
GJ = 1000000000 * J
kWh = 3600000 * J
MWh = 3600000000 * J
W = J / s
kW = 1000 * J / s
MW = 1000000 * J / s
m2 = m ** 2
ha = 10000 * m ** 2
m3 = m ** 3
L = 0.001 * m ** 3
pkm = 1000 * person * m
vkm = 1000 * vehicle * m
tkm = 1000000000 * g * m
"""
ATOMS = tuple(line.split(" = ")[0] for line in DEFINITIONS.strip().splitlines())
SHOWN_ZH = {"person": "人", "vehicle": "车", "trip": "次", "item": "件", "step": "步", "head": "头", "year": "年", "season": "季", "yuan": "元", "day": "天",
            "pkm": "人·km", "vkm": "车·km", "tkm": "t·km", "minute": "min", "m2": "m²", "m3": "m³"}  # fmt: skip
SHOWN_EN = {"pkm": "person·km", "vkm": "vehicle·km", "tkm": "t·km", "yuan": "CNY", "minute": "min",
            "m2": "m²", "m3": "m³"}  # fmt: skip
MAX_POWER = 4
_PART = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\^(-?[1-9]))?\Z")


class UnknownUnit(Exception):
    """The text is no unit of the closed list."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of powers of listed units, in the order of the list."""

    powers: tuple[tuple[str, int], ...] = ()

    @property
    def dimension(self) -> tuple[tuple[str, int], ...]:
        """The powers of the base dimensions, as Pint derives them."""
        return _measure(self.powers)[0]

    @property
    def factor(self) -> Fraction:
        """How many base units one of this unit is, exactly."""
        return _measure(self.powers)[1]

    @property
    def is_plain(self) -> bool:
        """Whether it is dimensionless with factor 1."""
        return not self.dimension and self.factor == 1

    def times(self, other: Unit) -> Unit:
        """Return the unit of a product."""
        return _collect([*self.powers, *other.powers])

    def over(self, other: Unit) -> Unit:
        """Return the unit of a quotient."""
        return _collect([*self.powers, *((atom, -power) for atom, power in other.powers)])

    def same_as(self, other: Unit) -> bool:
        """Return whether both measure in the same dimension and the same size, so that no factor hides."""
        return self.dimension == other.dimension and self.factor == other.factor

    def shown(self, locale: str = "zh") -> str:
        """Return the unit as a page prints it: 'kg CO2e/(人·km)'."""
        words = SHOWN_EN if locale.startswith("en") else SHOWN_ZH
        return _written(
            self.powers,
            lambda atom: words.get(atom, re.sub(r"^(k?g|t)(CO2e?|CH4|N2O|C|N)$", r"\1 \2", atom)),
            "·",
        )

    def __str__(self) -> str:
        return _written(self.powers, lambda atom: atom, "*")


def _written(powers: tuple[tuple[str, int], ...], word: Any, dot: str) -> str:
    def term(atom: str, power: int) -> str:
        return word(atom) if power == 1 else f"{word(atom)}^{power}"

    above = [term(atom, power) for atom, power in powers if power > 0]
    below = [term(atom, -power) for atom, power in powers if power < 0]
    if not below:
        return dot.join(above)
    under = dot.join(below)
    return f"{dot.join(above) or '1'}/{f'({under})' if len(below) > 1 or dot in under else under}"


def _collect(powers: Iterable[tuple[str, int]]) -> Unit:
    total: dict[str, int] = {}
    for atom, power in powers:
        total[atom] = total.get(atom, 0) + power
    return Unit(tuple((atom, total[atom]) for atom in ATOMS if total.get(atom)))


@cache
def _registry() -> UnitRegistry[Any]:
    registry: UnitRegistry[Any] = UnitRegistry(None, non_int_type=Decimal)
    registry.load_definitions(DEFINITIONS.strip().splitlines())
    return registry


@lru_cache(maxsize=4096)
def _measure(powers: tuple[tuple[str, int], ...]) -> tuple[tuple[tuple[str, int], ...], Fraction]:
    registry = _registry()
    unit: Any = registry.Unit("")
    factor = Fraction(1)
    for atom, power in powers:
        unit = unit * registry.Unit(atom) ** power
        factor *= _size(atom) ** power
    dimension = tuple(sorted((str(name), int(power)) for name, power in unit.dimensionality.items()))
    return dimension, factor


@cache
def _size(atom: str) -> Fraction:
    return Fraction(_registry().Quantity(Decimal(1), atom).to_base_units().magnitude)


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """Read 'kgCO2e/(person*km)' or '' (dimensionless); raise UnknownUnit for anything else."""
    text = text.replace(" ", "")
    if text in {"", "1"}:
        return Unit()
    if len(text) > 60:
        raise UnknownUnit(text[:60])
    above, _, below = text.partition("/")
    if below.startswith("(") and below.endswith(")"):
        below = below[1:-1]
    powers: list[tuple[str, int]] = []
    for part, sign in ((above, 1), (below, -1)):
        for piece in part.split("*") if part and part != "1" else []:
            match = _PART.match(piece)
            if match is None or match[1] not in ATOMS or abs(int(match[2] or 1)) > MAX_POWER:
                raise UnknownUnit(piece)
            powers.append((match[1], sign * int(match[2] or 1)))
    if not above or (text.count("/") and not below):
        raise UnknownUnit(text)
    return _collect(powers)
