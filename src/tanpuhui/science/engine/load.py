"""Loading a version (载入): files to a checked MethodologyVersion, or one refusal that points at the fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tanpuhui.science.engine import bounded_yaml
from tanpuhui.science.engine.archive import archive_sha256, check_files
from tanpuhui.science.engine.check import Checker
from tanpuhui.science.engine.checked import Checked, Symbol, guards
from tanpuhui.science.engine.digits import Digits, TooManyDigits
from tanpuhui.science.engine.errors import Source
from tanpuhui.science.engine.grammar import parse
from tanpuhui.science.engine.load_fields import read_field, read_group
from tanpuhui.science.engine.load_rules import (
    REASON,
    read_cap,
    read_clauses,
    read_crediting,
    read_exclusions,
    read_monitoring,
    read_rounding,
)
from tanpuhui.science.engine.load_tables import read_table
from tanpuhui.science.engine.model import (
    Formula,
    MethodologyVersion,
    Parameter,
    ParameterSet,
    Predicate,
    Table,
    Variant,
)
from tanpuhui.science.engine.parameters import read_factors, read_parameter
from tanpuhui.science.engine.reader import Reader, unique
from tanpuhui.science.engine.scope import Scope
from tanpuhui.science.engine.units import parse_unit

MAIN_FILE = "methodology.yaml"
MAX_FIELDS, MAX_PARAMETERS, MAX_PREDICATES, MAX_VARIANTS, MAX_FORMULAS = 40, 120, 40, 20, 40
MAX_TABLES, MAX_GROUPS = 20, 8
_BIGINT_DIGITS = 18


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
        self.scope = Scope()
        self.functions = False

    def load(self) -> MethodologyVersion:
        top = self.top
        top.choice("schema", ("tanpuhui-methodology/1",))
        code = top.matching("code", re.compile(r"[A-Z][A-Z0-9-]{0,19}\Z"), "A01")
        kind: Any = top.choice("class", ("SCENARIO", "PROJECT", "POINTS", "EVENT"))
        self.functions = kind in {"PROJECT", "EVENT"}
        fields = tuple(read_field(reader, self.scope) for reader in self._each("fields", MAX_FIELDS))
        groups = tuple(read_group(reader, self.scope) for reader in self._each("groups", MAX_GROUPS))
        parameters = self._parameters(code)
        tables = self._tables(code)
        eligibility = tuple(self._predicate(reader) for reader in self._each("eligibility", MAX_PREDICATES))
        variants = tuple(self._variant(reader) for reader in self._each("calculations", MAX_VARIANTS))
        if bool(variants) == (kind == "POINTS"):
            top.place("calculations").refuse(
                "SCHEMA",
                zh="至少要有一种算法；只有 POINTS 类没有。",
                en="At least one calculation is needed; only a POINTS version has none.",
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
            cap=read_cap(top, parameters, fields),
            exclusions=read_exclusions(top),
            rounding=read_rounding(top, methodology_class=kind),
            tables=tables,
            groups=groups,
            crediting=read_crediting(top, methodology_class=kind),
            monitoring=read_monitoring(top),
            clauses=read_clauses(top),
            parameter_set=self.parameter_set,
            archive_sha256=archive_sha256(self.files),
            source=top.source,
            symbols=dict(self.scope.symbols),
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

    def _parameters(self, code: str) -> tuple[Parameter, ...]:
        factors = read_factors(self.files)
        given = self.parameter_set.values.get(code, {}) if self.parameter_set else {}
        found: list[Parameter] = []
        for reader in self._each("parameters", MAX_PARAMETERS):
            _, name = self.scope.named(reader)
            parameter = read_parameter(reader, factors=factors, given=given.get(reader.code()))
            digits = Digits.of(parameter.value) if parameter.value is not None else None
            symbol = Symbol(code=parameter.code, role="parameter", unit=parameter.unit, digits=digits)
            self.scope.declare(reader, symbol, name.zh)
            found.append(parameter)
        unknown = set(given) - {parameter.code for parameter in found}
        if unknown:
            self.top.place("parameters").refuse(
                "UNKNOWN_PARAMETER",
                zh=f"参数集给出了 {code} 没有的参数：{'、'.join(sorted(unknown))}。",
                en=f"The parameter set gives parameters that {code} does not have: {', '.join(sorted(unknown))}.",
            )
        return tuple(found)

    def _tables(self, code: str) -> tuple[Table, ...]:
        given = self.parameter_set
        found = tuple(
            read_table(reader, self.scope, methodology=code, given=given)
            for reader in self._each("tables", MAX_TABLES)
        )
        unique([(table.code, self.top.place("tables")) for table in found])
        unknown = set(given.tables.get(code, {}) if given else {}) - {table.code for table in found}
        if unknown:
            self.top.place("tables").refuse(
                "UNKNOWN_PARAMETER",
                zh=f"参数集给出了 {code} 没有的参数表：{'、'.join(sorted(unknown))}。",
                en=f"The parameter set gives tables that {code} does not have: {', '.join(sorted(unknown))}.",
            )
        return found

    def _presence(self, reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...], Reader | None]:
        if reader.value("when") is None:
            return (), (), None
        when = reader.reader("when")

        def known(source: Source) -> None:
            symbol = self.scope.symbols.get(source.text)
            if symbol is None or symbol.role != "field" or symbol.code != source.text:
                source.refuse(
                    "UNKNOWN_NAME", zh=f"没有字段“{source.text}”（写代码）。", en=f"No field '{source.text}'."
                )

        return when.texts("present", check=known), when.texts("absent", check=known), when

    def _checker(self, source: Source, scope: Mapping[str, Symbol]) -> Checker:
        return Checker(source=source, scope=scope, functions=self.functions)

    def _truth(self, source: Source, scope: Mapping[str, Symbol]) -> Checked:
        checked = self._checker(source, scope).check(parse(source))
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
        checked = self._truth(rule, self.scope.with_presence(present))
        predicate = Predicate(
            code=reader.matching("code", REASON, "TOO_FAST"),
            text=rule.text.strip(),
            checked=checked,
            guards=guards(checked),
            present=present,
            message=reader.words("message"),
            clause=reader.text("clause", default=""),
        )
        reader.finish()
        return predicate

    def _variant(self, reader: Reader) -> Variant:
        present, absent, when = self._presence(reader)
        scope = self.scope.with_presence(present, absent)
        where, where_text = None, ""
        if when is not None and when.value("where") is not None:
            source = when.scalar("where")
            where, where_text = self._truth(source, scope), source.text.strip()
            if any(symbol.role in {"parameter", "column"} for symbol in where.symbols()) or guards(where):
                source.refuse(
                    "SCHEMA",
                    zh="where 只能用字段和分组，不能用参数和参数表。",
                    en="where uses fields and groups only, no parameters and no tables.",
                )
        if when is not None:
            when.finish()
        formulas: list[Formula] = []
        taken = list(self.scope.taken)
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
        code, name = self.scope.named(reader)
        source = reader.scalar("formula")
        unit = reader.unit("unit")
        checked = self._checker(source, scope).check(parse(source))
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
            "role", ("baseline", "actual", "leakage", "reduction", "emission", "step"), default="step"
        )
        formula = Formula(
            code=code,
            name=name,
            symbol=reader.text("symbol", default="", limit=20),
            role=role,
            unit=unit,
            text=source.text.strip(),
            checked=checked,
            guards=guards(checked),
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
