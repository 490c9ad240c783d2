"""What a methodology version consists of (方法学版本的组成), as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Literal

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.bounded_yaml import Value
from tanpuhui.science.engine.checked import Checked, Grid, Guard, Key, Symbol
from tanpuhui.science.engine.digits import EXACT, Digits, aligned
from tanpuhui.science.engine.errors import Source, VersionBlocked
from tanpuhui.science.engine.units import Unit

MethodologyClass = Literal["SCENARIO", "PROJECT", "POINTS", "EVENT"]
Purpose = Literal["operation", "demonstration", "test"]
CONFIDENCES = ("H", "M", "L", "GK-H", "GK-M", "GK-L", "CALC", "ENG", "OP", "TEST")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A text in Chinese and English."""

    zh: str
    en: str

    def text(self, locale: str = "zh") -> str:
        """Return the text of the locale, Chinese unless English is asked for."""
        return self.en if locale.startswith("en") else self.zh


NO_WORDS = Words(zh="", en="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """An activity field (活动数据字段). A number has unit, bounds and places; a choice has options.

    The bounds of a date are its proleptic ordinals, so that every field has bounds of one type.
    """

    code: str
    name: Words
    symbol: str
    kind: Literal["number", "choice", "date"]
    unit: Unit
    display_unit: Words
    low: Decimal
    high: Decimal
    places: int
    options: tuple[str, ...]
    nullable: bool
    privacy: Literal["amount", "trace"]
    note: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Where a value comes from and how far it can be trusted."""

    value: Decimal
    unit: Unit
    source: Words
    confidence: str
    label: Words = NO_WORDS
    region: str = ""
    data_year: str = ""
    basis: str = ""
    publication: str = ""
    clause: str = ""
    valid_from: str = ""
    valid_to: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A parameter (参数): a value with evidence, or none (state OP), which blocks what needs it.

    `alternatives` stand beside it and never calculate; `suggestion` is a proposal that nobody confirmed.
    `origin` says where the active value comes from: the version itself or a parameter set.
    """

    code: str
    name: Words
    symbol: str
    unit: Unit
    active: Evidence | None
    suggestion: Evidence | None
    alternatives: tuple[Evidence, ...]
    origin: Literal["version", "parameter_set", "unset"]
    note: Words
    clause: str

    @property
    def value(self) -> Decimal | None:
        """The value that calculates, or None."""
        return self.active.value if self.active else None

    @property
    def state(self) -> Literal["SET", "OP"]:
        """SET, or OP: the operator has to give the value."""
        return "SET" if self.active else "OP"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a look-up table (参数表的列): values over its keys.

    `evidence` holds, by the number of the row, where a cell's value comes from; `suggestions` the numbers that
    are shown and never calculate (GK-L, ENG, OP, TEST without a parameter set that may use them).
    """

    code: str
    name: Words
    symbol: str
    unit: Unit
    grid: Grid
    evidence: Mapping[int, Evidence]
    suggestions: Mapping[int, Evidence]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableKey:
    """A key of a table with its name, and the explicit fallback from an entry to its parent (回退)."""

    key: Key
    name: Words
    within: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A look-up table (参数表). `rows` are the entries of the keys, as written, in the order of the file."""

    code: str
    name: Words
    keys: tuple[TableKey, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    origin: Literal["version", "parameter_set"]
    note: Words
    clause: str

    @property
    def waiting(self) -> int:
        """How many cells have no value that calculates."""
        return sum(len(self.rows) - len(column.evidence) for column in self.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Rows that a record carries (分组明细): strata, materials, passengers, earlier days.

    `unique` names fields in which no two rows are alike; `order` the date field of a series.
    """

    code: str
    name: Words
    min_rows: int
    max_rows: int
    unique: tuple[str, ...]
    order: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Formula:
    """One named step of a calculation: code = formula."""

    code: str
    name: Words
    symbol: str
    role: Literal["baseline", "actual", "leakage", "reduction", "emission", "step"]
    unit: Unit
    text: str
    checked: Checked
    guards: tuple[Guard, ...]
    clause: str
    note: Words


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to calculate (算法): used when its fields are present or absent and its condition holds."""

    code: str
    name: Words
    present: tuple[str, ...]
    absent: tuple[str, ...]
    where: Checked | None
    where_text: str
    formulas: tuple[Formula, ...]

    @cached_property
    def unset(self) -> tuple[str, ...]:
        """The parameters and columns without value that block it, in the order of use."""
        return tuple(dict.fromkeys(code for formula in self.formulas for code in formula.checked.unset))

    @property
    def result(self) -> Formula:
        """The last step."""
        return self.formulas[-1]

    @property
    def grams_factor(self) -> Decimal:
        """How many grams one unit of the result is: 1, 1000 or 1000000."""
        return Decimal(int(self.result.unit.factor))

    @property
    def grams_digits(self) -> Digits | None:
        """The digits of the result in grams; None when a parameter is unset."""
        digits = self.result.checked.digits
        if digits is None:
            return None
        shift = len(str(self.grams_factor)) - 1
        low, high = digits.low.scaleb(shift, EXACT), digits.high.scaleb(shift, EXACT)
        return Digits(low, high, max(0, digits.places - shift))


@dataclass(frozen=True, kw_only=True)
class Predicate:
    """An eligibility rule (适用条件); a record that fails it does not count, with this code as the reason."""

    code: str
    text: str
    checked: Checked
    guards: tuple[Guard, ...]
    present: tuple[str, ...]
    message: Words
    clause: str

    @cached_property
    def unset(self) -> tuple[str, ...]:
        """The parameters and columns without value that block it."""
        return self.checked.unset


@dataclass(frozen=True, kw_only=True, slots=True)
class Cap:
    """A cap on activity data (活动量上限): who, how long, what is counted, and the parameter that limits it.

    `quantity` is 'count' (records) or the code of a field, and the limit is in that field's unit. Posting applies
    it, in posting order.
    """

    scope: Literal["account", "household", "vehicle", "device", "project"]
    period: Literal["trip", "day", "week", "month", "year", "lifetime"]
    quantity: str
    parameter: str
    limit: Decimal | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounding:
    """Rounding at booking (记账取整) to whole grams: a reduction down, an event's emission up.

    The remainder is exact grams minus booked grams; it is stored and not carried.
    """

    rule: Literal["floor", "ceiling"]
    remainder: Literal["stored"]
    clause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Exclusion:
    """An exclusion group (互斥组): of several results of one subject in one period, one counts.

    Results of one `side` stand together against the other sides; without a side each stands for itself.
    """

    group: str
    side: str
    scope: Literal["account", "household", "vehicle", "device", "project"]
    period: Literal["trip", "day", "week", "month", "year", "lifetime"]
    keep: Literal["greatest", "evidence", "first"]
    clause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Crediting:
    """How a project's periods become whole tonnes (计入): rounded down; what is carried to the next period."""

    rule: Literal["floor"]
    carried: tuple[str, ...]
    length: Words
    clause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Monitored:
    """What is monitored (监测), how and how often."""

    code: str
    name: Words
    method: Words
    frequency: Words
    clause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """A clause the version refers to."""

    code: str
    document: str
    text: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterSet:
    """Values that fill or override parameters, filed together with the version.

    `tables` holds, by methodology and table, rows as they stand in the file; the version's table reads them.
    """

    code: str
    purpose: Purpose
    label: Words
    values: Mapping[str, Mapping[str, Evidence]]
    sha256: str
    tables: Mapping[str, Mapping[str, tuple[Value, ...]]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class MethodologyVersion:
    """A checked methodology version with the parameter set it was loaded with."""

    code: str
    version: str
    name: Words
    methodology_class: MethodologyClass
    scenario: str
    status: str
    scope: Words
    label: Words
    beneficiary: Words
    fields: tuple[Field, ...]
    parameters: tuple[Parameter, ...]
    eligibility: tuple[Predicate, ...]
    variants: tuple[Variant, ...]
    cap: Cap | None
    exclusions: tuple[Exclusion, ...]
    rounding: Rounding
    tables: tuple[Table, ...]
    groups: tuple[Group, ...]
    crediting: Crediting | None
    monitoring: tuple[Monitored, ...]
    clauses: tuple[Clause, ...]
    parameter_set: ParameterSet | None
    archive_sha256: str
    source: Source = field(repr=False)
    symbols: Mapping[str, Symbol] = field(repr=False)

    @property
    def title(self) -> Words:
        """Name with the version, as a page prints it."""
        return Words(zh=f"{self.name.zh} {self.version} 版", en=f"{self.name.en}, version {self.version}")

    @property
    def purpose(self) -> Purpose:
        """What results may be used for: operation, unless the parameter set says less."""
        return self.parameter_set.purpose if self.parameter_set else "operation"

    @cached_property
    def blocked_by(self) -> tuple[str, ...]:
        """The parameters without value that let no calculation run; empty when one can."""
        always = [
            code
            for predicate in self.eligibility
            if not predicate.present
            for code in predicate.checked.unset
        ]
        if self.cap is not None and self.cap.limit is None:
            always.append(self.cap.parameter)
        further = [
            [code for code in self.variant_unset(variant) if code not in always] for variant in self.variants
        ]
        if further and all(further):
            always += [code for codes in further for code in codes]
        return tuple(dict.fromkeys(always))

    def variant_unset(self, variant: Variant) -> tuple[str, ...]:
        """The parameters without value that block a variant: its own and those of rules that always apply to it."""
        rules = [
            code
            for predicate in self.eligibility
            if set(predicate.present) <= {*variant.present, *self.required}
            for code in predicate.checked.unset
        ]
        return tuple(dict.fromkeys([*rules, *variant.unset]))

    @cached_property
    def required(self) -> frozenset[str]:
        """The fields a record must have."""
        return frozenset(item.code for item in self.fields if not item.nullable)

    @property
    def runnable(self) -> bool:
        """Whether at least one variant can calculate; a POINTS version judges and never calculates."""
        return not self.blocked_by

    @cached_property
    def interpreter_only(self) -> bool:
        """Whether no SQL can be made of it, because it uses functions or series."""
        checked = [formula.checked for variant in self.variants for formula in variant.formulas]
        checked += [predicate.checked for predicate in self.eligibility]
        checked += [variant.where for variant in self.variants if variant.where is not None]
        beyond = tree.Function | tree.Series
        return any(isinstance(part.node, beyond) for whole in checked for part in whole.walk())

    @cached_property
    def compiled(self) -> dict[tuple[str, str, str | None], str]:
        """The SELECTs already made of this version, by dialect, relation and allowance: making one takes as long as calculating 50,000 rows."""
        return {}

    def require_runnable(self) -> None:
        """Raise VersionBlocked, naming the parameters, when nothing can be calculated."""
        if not self.runnable:
            raise VersionBlocked(methodology=self.code, version=self.version, names=self.blocked_by)

    def activity_field(self, code: str) -> Field:
        """Return the field of the code."""
        return next(item for item in self.fields if item.code == code)

    def group(self, code: str) -> Group:
        """Return the group of the code."""
        return next(item for item in self.groups if item.code == code)

    def column(self, code: str) -> Column:
        """Return the column of the code, of whichever table."""
        return next(item for table in self.tables for item in table.columns if item.code == code)

    def parameter(self, code: str) -> Parameter:
        """Return the parameter of the code."""
        return next(item for item in self.parameters if item.code == code)

    def variant(self, code: str) -> Variant:
        """Return the variant of the code."""
        return next(item for item in self.variants if item.code == code)

    @cached_property
    def grams_type(self) -> tuple[int, int]:
        """Width and places of the DECIMAL in which every runnable variant's grams are exact."""
        known = [variant.grams_digits for variant in self.variants if variant.formulas]
        return aligned(*(digits for digits in known if digits is not None), Digits.of(Decimal(0)))

    @property
    def remainder_places(self) -> int:
        """The decimal places in which every runnable variant's remainder in grams is exact."""
        return self.grams_type[1]
