"""Parameters, factor rows and parameter sets (参数、因子、参数集): values with the confidence they came with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

from tanpuhui.science.engine import bounded_yaml
from tanpuhui.science.engine.bounded_yaml import Value
from tanpuhui.science.engine.errors import Source
from tanpuhui.science.engine.model import CONFIDENCES, Evidence, Parameter, ParameterSet
from tanpuhui.science.engine.reader import CODE, Reader

CODE_WITH_DASH = re.compile(r"[a-z][a-z0-9-]{0,59}\Z")
# A value of these confidences may stand in a version as a proposal or an alternative, but never calculate.
NEVER_ACTIVE = ("GK-L", "OP")
NOT_ACTIVE_IN_VERSION = ("GK-L", "OP", "ENG", "TEST")
NOT_IN_PURPOSE = {
    "operation": (*NEVER_ACTIVE, "ENG", "TEST"),
    "demonstration": (*NEVER_ACTIVE, "TEST"),
    "test": NEVER_ACTIVE,
}


_TEXTS = ("region", "data_year", "basis", "publication", "clause", "url")


def evidence_texts(reader: Reader) -> dict[str, Any]:
    """Read what is said about a value, as far as it is there: source, confidence, label, region, year, …."""
    told: dict[str, Any] = {key: reader.text(key) for key in _TEXTS if reader.value(key) is not None}
    told |= {key: reader.words(key) for key in ("source", "label") if reader.value(key) is not None}
    told |= {key: reader.date(key) for key in ("valid_from", "valid_to") if reader.value(key) is not None}
    if reader.value("confidence") is not None:
        told["confidence"] = reader.choice("confidence", CONFIDENCES)
    start, end = told.get("valid_from", ""), told.get("valid_to", "")
    if start and end and end < start:
        reader.place("valid_to").refuse(
            "SCHEMA", zh="有效期止早于起。", en="The validity ends before it begins."
        )
    return told


def read_evidence(reader: Reader) -> Evidence:
    """Read a value with its unit, source and confidence."""
    value, unit = reader.decimal("value"), reader.unit("unit")
    reader.words("source")
    reader.choice("confidence", CONFIDENCES)
    return Evidence(value=value, unit=unit, **evidence_texts(reader))


def refuse_confidence(reader: Reader, confidence: str, *, purpose: str) -> None:
    """Refuse a value that a parameter set of the purpose must not carry."""
    if confidence in NOT_IN_PURPOSE[purpose]:
        reader.place("confidence").refuse(
            "CONFIDENCE_TOO_LOW",
            zh=f"用途为 {purpose} 的参数集不能使用可信度为 {confidence} 的数。",
            en=f"A parameter set for {purpose} takes no value of confidence {confidence}.",
        )


def read_factors(files: Mapping[str, bytes]) -> dict[str, Evidence]:
    """Read every factors/*.yaml into rows by their code."""
    rows: dict[str, Evidence] = {}
    for path in sorted(path for path in files if path.startswith("factors/") and path.endswith(".yaml")):
        top = Reader.of(bounded_yaml.read_yaml(files[path], file=path))
        top.choice("schema", ("tanpuhui-factors/1",))
        for reader in top.each("factors"):
            code = reader.code()
            reader.words("name")
            if code in rows:
                reader.place("code").refuse(
                    "NAME_TAKEN", zh=f"因子“{code}”重复。", en=f"The factor '{code}' is repeated."
                )
            rows[code] = read_evidence(reader)
            reader.finish()
        top.finish()
    return rows


def read_parameter(reader: Reader, *, factors: Mapping[str, Evidence], given: Evidence | None) -> Parameter:
    """Read one parameter; `given` is the value a parameter set gives it."""
    unit = reader.unit("unit")
    own = _own_value(reader, factors)
    alternatives = [_factor(reader, name, factors) for name in reader.texts("alternatives")]
    suggestion = None
    if reader.value("suggestion") is not None:
        inner = reader.reader("suggestion")
        suggestion = read_evidence(inner)
        inner.finish()
    active = given or own
    if given is not None and own is not None:
        alternatives.insert(0, own)
    for evidence in (active, suggestion, *alternatives):
        if evidence is not None and not evidence.unit.same_as(unit):
            reader.place("unit").refuse(
                "UNIT_MISMATCH",
                zh=f"参数单位是 {unit}，而取值的单位是 {evidence.unit}。",
                en=f"The parameter's unit is {unit}, the value's is {evidence.unit}.",
            )
    origin: Literal["version", "parameter_set", "unset"] = (
        "parameter_set" if given else "version" if own else "unset"
    )
    parameter = Parameter(
        code=reader.code(),
        name=reader.words("name"),
        symbol=reader.text("symbol", default="", limit=20),
        unit=unit,
        active=active,
        suggestion=suggestion,
        alternatives=tuple(alternatives),
        origin=origin,
        note=reader.words("note", optional=True),
        clause=reader.text("clause", default=""),
    )
    reader.finish()
    return parameter


def _factor(reader: Reader, name: str, factors: Mapping[str, Evidence]) -> Evidence:
    if name not in factors:
        reader.source.refuse(
            "UNKNOWN_FACTOR", zh=f"factors/ 中没有“{name}”。", en=f"No factor '{name}' in factors/."
        )
    return factors[name]


def _own_value(reader: Reader, factors: Mapping[str, Evidence]) -> Evidence | None:
    name = reader.text("factor", default="")
    state = reader.choice("state", ("SET", "OP"))
    own = _factor(reader, name, factors) if name else None
    if own is not None and own.confidence in NOT_ACTIVE_IN_VERSION:
        reader.place("factor").refuse(
            "CONFIDENCE_TOO_LOW",
            zh=f"可信度为 {own.confidence} 的数不能作为计算值；请列入 suggestion 或 alternatives，由主管方在参数集中确定。",
            en=f"A value of confidence {own.confidence} must not calculate; list it as suggestion or alternative.",
        )
    if (own is not None) != (state == "SET"):
        reader.place("state").refuse(
            "SCHEMA",
            zh="state 为 SET 时必须给出 factor，为 OP 时不得给出。",
            en="State SET needs a factor; state OP has none.",
        )
    return own


def load_parameter_set(content: bytes, *, file: str = "parameter_set.yaml") -> ParameterSet:
    """Read a parameter set (参数集), or refuse with the place.

    Its purpose limits the confidence its values may have: operation takes no ENG proposals, and only a test
    takes TEST values; GK-L and OP never calculate.
    """
    top = Reader.of(bounded_yaml.read_yaml(content, file=file))
    top.choice("schema", ("tanpuhui-parameter-set/1",))
    parameter_set = _parameter_set(top, sha256=hashlib.sha256(content).hexdigest())
    top.finish()
    return parameter_set


def _parameter_set(top: Reader, *, sha256: str) -> ParameterSet:
    purpose: Any = top.choice("purpose", tuple(NOT_IN_PURPOSE))
    values: dict[str, dict[str, Evidence]] = {}
    by_methodology = top.reader("values") if top.value("values") is not None else None
    for methodology, value in by_methodology.mapping.entries.items() if by_methodology else ():
        inner = Reader.of(value)
        values[methodology] = {}
        for code, entry in inner.mapping.entries.items():
            place: Source = inner.mapping.keys[code]
            if not CODE.match(code):
                place.refuse("SCHEMA", zh="参数代码写法不对。", en="This is no parameter code.")
            reader = Reader.of(entry)
            evidence = read_evidence(reader)
            reader.finish()
            refuse_confidence(reader, evidence.confidence, purpose=purpose)
            values[methodology][code] = evidence
    return ParameterSet(
        code=top.matching("code", CODE_WITH_DASH, "shenzhen-test"),
        purpose=purpose,
        label=top.words("label"),
        values=values,
        sha256=sha256,
        tables=_given_tables(top),
    )


def _given_tables(top: Reader) -> dict[str, dict[str, tuple[Value, ...]]]:
    """Read the rows given to tables; what a row may hold is known by the version's table only."""
    if top.value("tables") is None:
        return {}
    found: dict[str, dict[str, tuple[Value, ...]]] = {}
    by_methodology = top.reader("tables")
    for methodology in by_methodology.mapping.entries:
        inner = by_methodology.reader(methodology)
        found[methodology] = {code: inner.items(code) for code in inner.mapping.entries}
    return found


def inline_parameter_set(reader: Reader) -> ParameterSet:
    """Read the parameter set that a worked case carries; its purpose is test."""
    found = _parameter_set(reader, sha256="")
    reader.finish()
    return found
