"""Loading a version (载入): files to a checked MethodologyVersion, or one refusal that points at the fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tanpuhui.science.engine import bounded_yaml
from tanpuhui.science.engine.archive import archive_sha256, check_files
from tanpuhui.science.engine.check import Checked, Checker, Symbol
from tanpuhui.science.engine.digits import MAX_PLACES, Digits, TooManyDigits, places_of
from tanpuhui.science.engine.errors import Source
from tanpuhui.science.engine.grammar import KEYWORDS, NAME_PATTERN, parse
from tanpuhui.science.engine.model import (
    NO_WORDS,
    Cap,
    Clause,
    Field,
    Formula,
    MethodologyVersion,
    Parameter,
    ParameterSet,
    Predicate,
    Rounding,
    Variant,
    Words,
)
from tanpuhui.science.engine.parameters import read_factors, read_parameter
from tanpuhui.science.engine.reader import Reader, unique
from tanpuhui.science.engine.units import Unit, parse_unit

MAIN_FILE = "methodology.yaml"
MAX_FIELDS, MAX_PARAMETERS, MAX_PREDICATES, MAX_VARIANTS, MAX_FORMULAS = 40, 120, 40, 20, 40
_BIGINT_DIGITS = 18
_ZERO = Decimal(0)
REASON = re.compile(r"[A-Z][A-Z0-9_]{0,59}\Z")


def load_version(
    files: Mapping[str, bytes], *, parameter_set: ParameterSet | None = None
) -> MethodologyVersion:
    """Parse and check the files of a methodology version.

    Raises MethodologyError with file, line, column and caret at the first fault. A version whose
    parameters have no value (OP) loads, so that it can be read; `blocked_by` names what is missing and
    every calculation of it is refused.
    """
    check_files(files)
    if MAIN_FILE not in files:
        Source.of_text("", file=MAIN_FILE).refuse(
            "FILE_MISSING", zh="缺少这个文件。", en="This file is missing."
        )
    top = Reader.of(bounded_yaml.read_yaml(files[MAIN_FILE], file=MAIN_FILE))
    return _Loader(files=files, top=top, parameter_set=parameter_set).load()


class _Loader:
    def __init__(
        self, *, files: Mapping[str, bytes], top: Reader, parameter_set: ParameterSet | None
    ) -> None:
        self.files = files
        self.top = top
        self.parameter_set = parameter_set
        self.names: list[tuple[str, Source]] = []
        self.scope: dict[str, Symbol] = {}

    def load(self) -> MethodologyVersion:
        top = self.top
        top.choice("schema", ("tanpuhui-methodology/1",))
        code = top.matching("code", re.compile(r"[A-Z][A-Z0-9-]{0,19}\Z"), "A01")
        kind: Any = top.choice("class", ("SCENARIO", "PROJECT", "POINTS", "EVENT"))
        fields = tuple(self._field(reader) for reader in self._each("fields", MAX_FIELDS))
        parameters = self._parameters(code)
        eligibility = tuple(self._predicate(reader) for reader in self._each("eligibility", MAX_PREDICATES))
        variants = tuple(self._variant(reader) for reader in self._each("calculations", MAX_VARIANTS))
        if not variants and kind != "POINTS":
            top.place("calculations").refuse(
                "SCHEMA", zh="至少要有一种算法。", en="At least one calculation is needed."
            )
        self._unique(variants)
        version = MethodologyVersion(
            code=code,
            version=top.matching("version", re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\Z"), '"1.0"'),
            name=top.words("name"),
            methodology_class=kind,
            scenario=top.matching("scenario", re.compile(r"[a-z][a-z0-9_-]{0,39}\Z"), "bus"),
            status=top.choice("status", ("EXACT", "FORM", "DESIGN", "POINTS")),
            scope=top.words("scope"),
            label=top.words("label", optional=True),
            beneficiary=top.words("beneficiary"),
            fields=fields,
            parameters=parameters,
            eligibility=eligibility,
            variants=variants,
            cap=self._cap(parameters, fields),
            exclusions=top.texts("exclusions"),
            rounding=self._rounding(),
            clauses=self._clauses(),
            parameter_set=self.parameter_set,
            archive_sha256=archive_sha256(self.files),
            source=top.source,
            symbols=dict(self.scope),
        )
        top.finish()
        self._check_width(version)
        return version

    def _check_width(self, version: MethodologyVersion) -> None:
        try:
            for variant in version.variants:
                digits = variant.result.checked.digits
                if digits is not None:
                    digits.times(Digits.of(variant.grams_factor))
            _ = version.grams_type
        except TooManyDigits as error:
            self.top.place("calculations").refuse(
                "TOO_MANY_DIGITS",
                zh=f"结果换算为克需要 {error.needed} 位数字，超过 38 位。",
                en=f"The result in grams needs {error.needed} digits, more than 38.",
            )

    def _each(self, key: str, limit: int) -> list[Reader]:
        readers = list(self.top.each(key))
        if len(readers) > limit:
            self.top.place(key).refuse(
                "SCHEMA", zh=f"“{key}”超过 {limit} 项。", en=f"'{key}' has more than {limit} items."
            )
        return readers

    def _named(self, reader: Reader) -> tuple[str, Words]:
        """Read code and name and check that formulas can use both."""
        code, words = reader.code(), reader.words("name")
        for name, place in ((code, reader.place("code")), (words.zh, reader.reader("name").place("zh"))):
            if not NAME_PATTERN.match(name) or name in KEYWORDS:
                place.refuse(
                    "NAME",
                    zh=f"“{name}”不能作名称：只用汉字、字母、数字和下划线，且不能是公式用语。",
                    en=f"'{name}' cannot be a name: Chinese characters, letters, digits and _ only, and no word of the language.",
                )
        return code, words

    def _declare(self, reader: Reader, symbol: Symbol, name: str) -> None:
        for text, key in ((symbol.code, "code"), (name, "name")):
            self.names.append((text, reader.place(key)))
            self.scope[text] = symbol
        unique(self.names)

    def _field(self, reader: Reader) -> Field:
        code, name = self._named(reader)
        kind: Any = reader.choice("kind", ("number", "choice"), default="number")
        number = kind == "number"
        low, high = (reader.decimal("min"), reader.decimal("max")) if number else (_ZERO, _ZERO)
        places = reader.whole("places", limit=MAX_PLACES) if number else 0
        options = reader.texts("options")
        unit = reader.unit("unit", default="") if number else Unit()
        if number and (low > high or max(places_of(low), places_of(high)) > places):
            reader.place("min").refuse(
                "BOUNDS",
                zh="下限不能大于上限，且上下限的小数位不能多于 places。",
                en="min must not exceed max, and neither may have more decimals than places.",
            )
        if number == bool(options) or any("'" in option for option in options):
            reader.place("options").refuse(
                "SCHEMA",
                zh="选项字段要有 options，数值字段不能有。",
                en="A choice has options, a number has none.",
            )
        privacy: Any = reader.choice("privacy", ("amount", "trace"))
        found = Field(
            code=code,
            name=name,
            symbol=reader.text("symbol", default="", limit=20),
            kind=kind,
            unit=unit,
            display_unit=reader.words("display_unit", optional=True),
            low=low,
            high=high,
            places=places,
            options=options,
            nullable=reader.flag("nullable"),
            privacy=privacy,
            note=reader.words("note", optional=True),
        )
        if found.display_unit == NO_WORDS:
            found = replace(found, display_unit=Words(zh=unit.shown("zh"), en=unit.shown("en")))
        reader.finish()
        digits = Digits(low, high, places) if number else None
        self._declare(
            reader,
            Symbol(
                code=code,
                role="field",
                kind=kind,
                unit=unit,
                digits=digits,
                options=options,
                may_be_absent=found.nullable,
            ),
            name.zh,
        )
        return found

    def _parameters(self, code: str) -> tuple[Parameter, ...]:
        factors = read_factors(self.files)
        given = self.parameter_set.values.get(code, {}) if self.parameter_set else {}
        found: list[Parameter] = []
        for reader in self._each("parameters", MAX_PARAMETERS):
            _, name = self._named(reader)
            parameter = read_parameter(reader, factors=factors, given=given.get(reader.code()))
            digits = Digits.of(parameter.value) if parameter.value is not None else None
            symbol = Symbol(code=parameter.code, role="parameter", unit=parameter.unit, digits=digits)
            self._declare(reader, symbol, name.zh)
            found.append(parameter)
        unknown = set(given) - {parameter.code for parameter in found}
        if unknown:
            self.top.place("parameters").refuse(
                "UNKNOWN_PARAMETER",
                zh=f"参数集给出了 {code} 没有的参数：{'、'.join(sorted(unknown))}。",
                en=f"The parameter set gives parameters that {code} does not have: {', '.join(sorted(unknown))}.",
            )
        return tuple(found)

    def _presence(self, reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...], Reader | None]:
        if reader.value("when") is None:
            return (), (), None
        when = reader.reader("when")

        def known(source: Source) -> None:
            symbol = self.scope.get(source.text)
            if symbol is None or symbol.role != "field" or symbol.code != source.text:
                source.refuse(
                    "UNKNOWN_NAME", zh=f"没有字段“{source.text}”（写代码）。", en=f"No field '{source.text}'."
                )

        return when.texts("present", check=known), when.texts("absent", check=known), when

    def _scope_with(self, present: tuple[str, ...], absent: tuple[str, ...] = ()) -> dict[str, Symbol]:
        """Return the scope in which the fields present are known to be there, and those absent are not."""
        return {
            name: replace(symbol, may_be_absent=False) if symbol.code in present else symbol
            for name, symbol in self.scope.items()
            if symbol.code not in absent
        }

    def _truth(self, source: Source, scope: Mapping[str, Symbol]) -> Checked:
        checked = Checker(source=source, scope=scope).check(parse(source))
        if checked.kind != "truth":
            source.refuse(
                "WRONG_KIND", zh="这里应为是非判断，例如 里程 > 0[pkm]。", en="Expected a comparison here."
            )
        return checked

    def _predicate(self, reader: Reader) -> Predicate:
        present, absent, when = self._presence(reader)
        if when is not None:
            when.finish()
        if absent:
            reader.place("when").refuse(
                "SCHEMA", zh="适用条件的 when 只能有 present。", en="A rule's when has present only."
            )
        rule = reader.scalar("rule")
        predicate = Predicate(
            code=reader.matching("code", REASON, "TOO_FAST"),
            text=rule.text.strip(),
            checked=self._truth(rule, self._scope_with(present)),
            present=present,
            message=reader.words("message"),
            clause=reader.text("clause", default=""),
        )
        reader.finish()
        return predicate

    def _variant(self, reader: Reader) -> Variant:
        present, absent, when = self._presence(reader)
        scope = self._scope_with(present, absent)
        where, where_text = None, ""
        if when is not None and when.value("where") is not None:
            source = when.scalar("where")
            where, where_text = self._truth(source, scope), source.text.strip()
            if any(symbol.role == "parameter" for symbol in where.symbols()):
                source.refuse(
                    "SCHEMA", zh="where 只能用字段，不能用参数。", en="where uses fields only, no parameters."
                )
        if when is not None:
            when.finish()
        formulas: list[Formula] = []
        taken = list(self.names)
        for inner in list(reader.each("formulas"))[:MAX_FORMULAS]:
            formula = self._formula(inner, scope)
            taken += [(formula.code, inner.place("code")), (formula.name.zh, inner.place("name"))]
            unique(taken)
            symbol = Symbol(
                code=formula.code, role="result", unit=formula.unit, digits=formula.checked.digits
            )
            scope = {**scope, formula.code: symbol, formula.name.zh: symbol}
            formulas.append(formula)
        variant = Variant(
            code=reader.code(),
            name=reader.words("name"),
            present=present,
            absent=absent,
            where=where,
            where_text=where_text,
            formulas=tuple(formulas),
        )
        self._check_result(reader, variant)
        reader.finish()
        return variant

    def _formula(self, reader: Reader, scope: Mapping[str, Symbol]) -> Formula:
        code, name = self._named(reader)
        source = reader.scalar("formula")
        unit = reader.unit("unit")
        checker = Checker(source=source, scope=scope)
        checked = checker.check(parse(source))
        if checked.kind != "number":
            source.refuse("WRONG_KIND", zh="公式的结果应为数值。", en="A formula gives a number.")
        if not checked.unit.same_as(unit):
            same = checked.unit.dimension == unit.dimension
            source.refuse(
                "UNIT_MISMATCH" if same else "DIMENSION_MISMATCH",
                zh=f"公式得到的单位是 {checked.unit}，而声明的是 {unit}。"
                + ("请用 convert 明确换算。" if same else "请核对因子的单位。"),
                en=f"The formula gives {checked.unit}, but {unit} is declared."
                + (" Convert explicitly." if same else " Check the units of the factors."),
            )
        role: Any = reader.choice(
            "role", ("baseline", "actual", "leakage", "reduction", "step"), default="step"
        )
        formula = Formula(
            code=code,
            name=name,
            symbol=reader.text("symbol", default="", limit=20),
            role=role,
            unit=unit,
            text=source.text.strip(),
            checked=checked,
            clause=reader.text("clause", default=""),
            note=reader.words("note", optional=True),
        )
        reader.finish()
        return formula

    def _check_result(self, reader: Reader, variant: Variant) -> None:
        if not variant.formulas:
            reader.source.refuse(
                "SCHEMA", zh="一种算法至少要有一步公式。", en="A variant has at least one formula."
            )
        result = variant.result
        gram = parse_unit("gCO2e")
        if result.unit.dimension != gram.dimension or result.unit.factor.denominator != 1:
            reader.place("formulas").refuse(
                "RESULT_UNIT",
                zh=f"最后一步的单位是 {result.unit}，应为 kgCO2e 或 gCO2e。",
                en=f"The last step is in {result.unit}; it must be in kgCO2e or gCO2e.",
            )
        digits = result.checked.digits
        if digits is not None and digits.whole + len(str(variant.grams_factor)) - 1 > _BIGINT_DIGITS:
            reader.place("formulas").refuse(
                "TOO_MANY_DIGITS",
                zh="结果的克数超过 18 位。请收窄字段上限。",
                en="The result can exceed 18 digits of grams; narrow the bounds.",
            )

    def _unique(self, variants: tuple[Variant, ...]) -> None:
        unique([(variant.code, self.top.place("calculations")) for variant in variants])

    def _cap(self, parameters: tuple[Parameter, ...], fields: tuple[Field, ...]) -> Cap | None:
        if self.top.value("cap") is None:
            return None
        reader = self.top.reader("cap")
        scope: Any = reader.choice("scope", ("account", "household", "vehicle", "device", "project"))
        period: Any = reader.choice("period", ("trip", "day", "week", "month", "year", "lifetime"))
        quantity = reader.choice(
            "quantity", ("count", *(item.code for item in fields if item.kind == "number"))
        )
        name = reader.choice("limit", tuple(parameter.code for parameter in parameters))
        parameter = next(item for item in parameters if item.code == name)
        expected = next((item.unit for item in fields if item.code == quantity), parse_unit("trip"))
        if any(item.code == quantity and item.low > 0 for item in fields):
            reader.place("quantity").refuse(
                "BOUNDS",
                zh="有上限的字段，下限应为 0，因为可能一点也不再计入。",
                en="A capped field has min 0, because nothing more may be granted.",
            )
        if quantity != "count" and not parameter.unit.same_as(expected):
            reader.place("limit").refuse(
                "UNIT_MISMATCH",
                zh=f"上限参数的单位应为 {expected}。",
                en=f"The limit's unit must be {expected}.",
            )
        if quantity == "count" and parameter.value is not None and places_of(parameter.value):
            reader.place("limit").refuse(
                "SCHEMA", zh="次数上限应为整数。", en="A limit on a count is a whole number."
            )
        cap = Cap(
            scope=scope,
            period=period,
            quantity=quantity,
            parameter=name,
            limit=parameter.value,
            reason=reader.matching("reason", REASON, "DAILY_CAP"),
        )
        reader.finish()
        return cap

    def _rounding(self) -> Rounding:
        reader = self.top.reader("rounding")
        reader.choice("unit", ("gCO2e",))
        reader.choice("places", ("0",))
        remainder: Any = reader.choice("remainder", ("stored",))
        rounding = Rounding(
            rule=reader.choice("rule", ("floor",)),
            remainder=remainder,
            clause=reader.text("clause", default=""),
        )
        reader.finish()
        return rounding

    def _clauses(self) -> tuple[Clause, ...]:
        found: list[Clause] = []
        for reader in self.top.each("clauses"):
            clause = Clause(code=reader.code(), document=reader.text("document"), text=reader.words("text"))
            reader.finish()
            found.append(clause)
        return tuple(found)
