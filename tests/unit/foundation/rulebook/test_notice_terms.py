"""The terms of a public notice in a process file: what is read, and what is refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tanpuhui.foundation.rulebook.adapters.process_file import ProcessRow, read_processes
from tanpuhui.foundation.rulebook.domain import JurisdictionInvalid

PROCESS = """
process: admission
version: "1"
subject_type: thing
label_zh: 准入
label_en: Admission
valid_from: "2020-01-01"
states:
  - {code: applied, label_zh: 已申请, label_en: Applied}
  - {code: notice, label_zh: 公示, label_en: Notice, notice: {working_days: "7", basis: 第三条}}
  - {code: returned, label_zh: 退回, label_en: Returned, clock: stops}
transitions:
  - {source: [applied, returned], target: notice, outcome: announce, role: maker, label_zh: 公示, label_en: Announce, deadline_working_days: unset, deadline_basis: test}
  - {source: notice, target: returned, outcome: return, role: maker, label_zh: 退回, label_en: Return, deadline_working_days: unset, deadline_basis: test}
"""
TERMS = '{working_days: "7", basis: 第三条}'
SYSTEM = (
    "  - {source: notice, target: returned, outcome: end, role: system, label_zh: 办, label_en: End, "
    "deadline_working_days: unset, deadline_basis: test%s}\n"
)


def read(folder: Path, text: str) -> ProcessRow:
    (folder / "processes").mkdir(exist_ok=True)
    (folder / "processes" / "admission.yaml").write_text(text, encoding="utf-8")
    (row,) = read_processes(folder)
    return row


def test_the_days_stand_in_the_process_or_in_a_parameter(tmp_path: Path) -> None:
    own = read(tmp_path, PROCESS).states[1]
    assert (own.notice, own.notice_working_days, own.notice_basis) == (True, 7, "第三条")
    named = "{parameter: notice.admission_working_days, publishes: [plan, minutes]}"
    by_rule = read(tmp_path, PROCESS.replace(TERMS, named)).states[1]
    assert (by_rule.notice_working_days, by_rule.notice_parameter) == (None, "notice.admission_working_days")
    assert by_rule.notice_publishes == ("plan", "minutes")


def test_a_version_written_before_the_terms_were_known_keeps_its_hash(tmp_path: Path) -> None:
    """Calculated before the language knew confidence, parameter and publishes."""
    assert (
        read(tmp_path, PROCESS).sha256() == "d836ce65d88efd2dbd198c08c71777c34b1540d6d257f1707fea8e473589b7a8"
    )


@pytest.mark.parametrize(
    "terms",
    [
        '{working_days: "7", basis: 第三条, confidence: S7}',
        '{working_days: "7", basis: 第三条, publishes: [plan]}',
        "{parameter: notice.admission_working_days}",
    ],
)
def test_every_term_counts_in_the_hash(tmp_path: Path, terms: str) -> None:
    assert read(tmp_path, PROCESS).sha256() != read(tmp_path, PROCESS.replace(TERMS, terms)).sha256()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((TERMS, '{working_days: "7"}'), "with their basis, or the parameter"),
        ((TERMS, "{}"), "with their basis, or the parameter"),
        (
            (TERMS, '{working_days: "7", basis: x, parameter: notice.days}'),
            "with their basis, or the parameter",
        ),
        ((TERMS, "{parameter: notice.days, confidence: S7}"), "confidence of its own"),
        ((TERMS, "{parameter: days}"), "not the key of a parameter"),
        ((TERMS, '{working_days: "7", basis: x, confidence: sure}'), "no evidence tag"),
        ((TERMS, '{working_days: "7", basis: x, confidence: NOT ESTABLISHED}'), "has no value"),
        ((TERMS, '{working_days: "7", basis: x, publishes: [A b]}'), "not a name"),
        (("label_en: Applied}", f"label_en: Applied, notice: {TERMS}}}"), "cannot begin with its notice"),
        (("outcome: return, role: maker", "outcome: return, role: system"), "people need a way out"),
    ],
)
def test_wrong_terms_are_refused(tmp_path: Path, change: tuple[str, str], why: str) -> None:
    with pytest.raises(JurisdictionInvalid, match=why):
        read(tmp_path, PROCESS.replace(*change))


@pytest.mark.parametrize("guards", ["", ", guards: [notice_over]", ", guards: [objections_answered]"])
def test_the_system_never_leaves_a_notice_without_both_guards(tmp_path: Path, guards: str) -> None:
    with pytest.raises(JurisdictionInvalid, match="only under notice_over and objections_answered"):
        read(tmp_path, PROCESS + SYSTEM % guards)
    assert read(tmp_path, PROCESS + SYSTEM % ", guards: [notice_over, objections_answered]").states[1].notice
