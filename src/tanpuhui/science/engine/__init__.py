"""The methodology language (方法学语言): load, check, archive, compile to SQL, interpret, explain.

Pure: no framework, no clock, no input or output. See README.md.
"""

from __future__ import annotations

from tanpuhui.science.engine.archive import archive, archive_sha256, open_archive
from tanpuhui.science.engine.difference import Change, difference, difference_text
from tanpuhui.science.engine.errors import MethodologyError, VersionBlocked
from tanpuhui.science.engine.explanation import Explanation, as_json, as_text, explain, reason_text
from tanpuhui.science.engine.interpreter import Result, interpret
from tanpuhui.science.engine.load import load_version
from tanpuhui.science.engine.model import (
    Cap,
    Evidence,
    Field,
    Formula,
    MethodologyVersion,
    Parameter,
    ParameterSet,
    Predicate,
    Variant,
    Words,
)
from tanpuhui.science.engine.notation import FormulaLine, formula_text
from tanpuhui.science.engine.parameters import load_parameter_set
from tanpuhui.science.engine.steps import Step
from tanpuhui.science.engine.version_sql import sql

ENGINE_VERSION = "1"

__all__ = [
    "ENGINE_VERSION",
    "Cap",
    "Change",
    "Evidence",
    "Explanation",
    "Field",
    "Formula",
    "FormulaLine",
    "MethodologyError",
    "MethodologyVersion",
    "Parameter",
    "ParameterSet",
    "Predicate",
    "Result",
    "Step",
    "Variant",
    "VersionBlocked",
    "Words",
    "archive",
    "archive_sha256",
    "as_json",
    "as_text",
    "difference",
    "difference_text",
    "explain",
    "formula_text",
    "interpret",
    "load_parameter_set",
    "load_version",
    "open_archive",
    "reason_text",
    "sql",
]
