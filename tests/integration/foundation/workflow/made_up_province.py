"""A province that does not exist, with four processes: tests of cases depend on no real jurisdiction's data."""

from __future__ import annotations

from pathlib import Path

JURISDICTION = """
code: made-up
area: "990000"
name: {zh: 某省, en: Made-up Province}
scheme: {zh: 某省碳普惠, en: Made-up scheme}
unit:
  names:
    - {zh: 某减排量, en: Made-up units, valid_from: "2020-01-01", basis: test, confidence: DEMO}
  code: unset
  code_note: test
serial_prefix: {value: MU, note: test}
sub_centres: []
packs: [base]
"""

REGIONS = """code,name_zh,name_en,level,parent,valid_from,valid_to,note
990000,某省,Made-up Province,province,,,,
990100,甲市,City A,city,990000,,,
990200,乙市,City B,city,990000,,,
"""

HOLIDAYS = """day,kind,name_zh,basis
2026-01-01,off,元旦,test
2026-11-23,off,校庆,test
2026-11-28,work,调休,test
"""

PACK = """
pack: base
about: test
valid_from: "2020-01-01"
parameters:
  - {key: workflow.case_number, scope: other, value: unset, unit: "-", basis: test, confidence: NOT ESTABLISHED}
  - {key: password.length_min, value: "12", unit: character, basis: test, confidence: DI}
  - {key: password.classes_min, value: "2", unit: class, basis: test, confidence: DI}
  - {key: password.age_days, value: "90", unit: day, basis: test, confidence: DI}
  - {key: password.history, value: "5", unit: password, basis: test, confidence: DI}
  - {key: notice.admission_working_days, value: "5", unit: working day, basis: 试验规则第三条, confidence: GK-M, note: 类比}
  - {key: notice.comment_characters_max, value: "200", unit: character, basis: test, confidence: DI}
  - {key: notice.comment_files_max, value: "2", unit: file, basis: test, confidence: DI}
  - {key: notice.comment_file_bytes_max, value: "1000", unit: byte, basis: test, confidence: DI}
  - {key: notice.comment_file_kinds, value: pdf png docx, unit: file ending, basis: test, confidence: DI}
  - {key: notice.comments_per_person_max, value: "3", unit: comment, basis: test, confidence: DI}
  - {key: notice.comments_per_person_day_max, value: "4", unit: comment, basis: test, confidence: DI}
"""

PUBLIC_ADMISSION = """
process: public_admission
version: "1"
subject_type: thing
label_zh: 公示准入
label_en: Admission
valid_from: "2020-01-01"
states:
  - {code: applied, label_zh: 已申请, label_en: Applied}
  - code: notice
    label_zh: 公示
    label_en: Public notice
    notice: {parameter: notice.admission_working_days, publishes: [plan]}
  - code: long_notice
    label_zh: 再次公示
    label_en: Second notice
    notice: {working_days: unset, basis: NOT ESTABLISHED, confidence: NOT ESTABLISHED}
  - {code: returned, label_zh: 退回补正, label_en: Returned, clock: stops}
  - {code: admitted, label_zh: 已准入, label_en: Admitted}
  - {code: refused, label_zh: 不予准入, label_en: Refused}
transitions:
  - {source: [applied, returned], target: notice, outcome: announce, role: maker, label_zh: 公示, label_en: Announce,
     deadline_working_days: unset, deadline_basis: test}
  - {source: applied, target: long_notice, outcome: announce_anew, role: maker, label_zh: 再次公示, label_en: Announce anew,
     deadline_working_days: unset, deadline_basis: test}
  - {source: [notice, long_notice], target: admitted, outcome: admit, role: system, guards: [notice_over, objections_answered],
     label_zh: 公示期满准入, label_en: Admitted after notice, deadline_working_days: unset, deadline_basis: test}
  - {source: [notice, long_notice], target: returned, outcome: return, role: maker, label_zh: 退回补正,
     label_en: Return for correction, deadline_working_days: unset, deadline_basis: test}
  - {source: [notice, long_notice], target: refused, outcome: refuse, role: regulator, label_zh: 不予准入,
     label_en: Refuse, deadline_working_days: unset, deadline_basis: test}
"""
"""A process with public notices: its days by a parameter in one, unset in the other."""

STATES = {
    "methodology_filing": ("proposed", "reviewed", "filed", "returned", "rejected"),
    "issuance": ("draft", "submitted", "verified", "prepared", "issued", "returned", "rejected"),
}

TRANSITIONS = {
    "methodology_filing": (
        ("proposed", "reviewed", "recommend", "expert", None, 20),
        ("proposed", "returned", "return", "expert", None, 20),
        ("reviewed", "filed", "file", "regulator", None, None),
        ("reviewed", "returned", "return", "regulator", None, None),
        ("reviewed", "rejected", "reject", "regulator", None, None),
    ),
    "issuance": (
        ("draft", "submitted", "submit", "owner", None, None),
        ("submitted", "verified", "verify", "verifier", None, 5),
        ("submitted", "returned", "return", "verifier", None, 5),
        ("returned", "submitted", "submit", "owner", None, None),
        ("verified", "prepared", "prepare", "maker", None, 60),
        ("prepared", "issued", "issue", "checker", "prepare", 3),
        ("prepared", "verified", "return", "checker", "prepare", 3),
        ("prepared", "rejected", "reject", "checker", "prepare", None),
        ("prepared", "rejected", "reject", "regulator", None, None),
    ),
}


ADMISSION = """
process: admission
version: "1"
subject_type: thing
label_zh: 准入
label_en: Admission
valid_from: "2020-01-01"
deadline_working_days: "10"
deadline_basis: test
states:
  - {code: applied, label_zh: 已申请, label_en: Applied}
  - {code: returned, label_zh: 退回补正, label_en: Returned for correction, clock: stops}
  - {code: assessed, label_zh: 已评估, label_en: Assessed}
  - {code: live, label_zh: 已上线, label_en: Live}
  - {code: withdrawn, label_zh: 已撤回, label_en: Withdrawn}
transitions:
  - {source: [applied], target: assessed, outcome: accept, role: maker, guards: [sample_passed], evidence: [sample_report, minutes],
     label_zh: 评估通过, label_en: Accept, deadline_working_days: unset, deadline_basis: NOT ESTABLISHED}
  - {source: [applied, assessed], target: returned, outcome: return, role: maker, label_zh: 退回, label_en: Return,
     deadline_working_days: unset, deadline_basis: NOT ESTABLISHED}
  - {source: returned, target: applied, outcome: resubmit, role: owner, label_zh: 重新提交, label_en: Submit again,
     deadline_working_days: unset, deadline_basis: NOT ESTABLISHED}
  - {source: [applied, returned], target: withdrawn, outcome: withdraw, role: owner, label_zh: 撤回, label_en: Withdraw,
     deadline_working_days: unset, deadline_basis: NOT ESTABLISHED}
  - source: assessed
    target: live
    outcome: admit
    role: checker
    two_person: accept
    asks:
      - {name: transition_until, label_zh: 过渡期至, label_en: Transition until, kind: day}
      - {name: batches_a_day, label_zh: 每日批次, label_en: Batches a day, kind: number}
      - {name: condition, label_zh: 附加条件, label_en: Condition, kind: text, required: "no"}
    label_zh: 准入
    label_en: Admit
    deadline_working_days: unset
    deadline_basis: NOT ESTABLISHED
"""
"""A process that demands a guard, attachments and values, and whose clock stops while the applicant corrects."""


def process_yaml(process: str, *, version: int = 1, valid_from: str = "2020-01-01", without: str = "") -> str:
    """Return the file of a process, if asked without the transitions of one outcome and the states they alone reach."""
    transitions = [row for row in TRANSITIONS[process] if row[2] != without]
    reached = {STATES[process][0], *(row[1] for row in transitions)}
    lines = [
        f"process: {process}",
        f'version: "{version}"',
        "subject_type: thing",
        "label_zh: 流程",
        "label_en: Process",
    ]
    lines += [f'valid_from: "{valid_from}"', "states:"]
    lines += [f"  - {{code: {s}, label_zh: {s}态, label_en: {s}}}" for s in STATES[process] if s in reached]
    lines.append("transitions:")
    for source, target, outcome, role, two_person, days in transitions:
        if source not in reached:
            continue
        second = f", two_person: {two_person}" if two_person else ""
        deadline = "unset" if days is None else f'"{days}"'
        lines.append(
            f"  - {{source: {source}, target: {target}, outcome: {outcome}, role: {role}, label_zh: 办{outcome}, "
            f"label_en: {outcome}, deadline_working_days: {deadline}, deadline_basis: test{second}}}"
        )
    return "\n".join(lines) + "\n"


def write_province(folder: Path) -> Path:
    """Write the folder and return it."""
    (folder / "processes").mkdir(parents=True)
    (folder / "rules").mkdir()
    (folder / "jurisdiction.yaml").write_text(JURISDICTION, encoding="utf-8")
    (folder / "regions.csv").write_text(REGIONS, encoding="utf-8")
    (folder / "holidays.csv").write_text(HOLIDAYS, encoding="utf-8")
    (folder / "rules" / "base.yaml").write_text(PACK, encoding="utf-8")
    (folder / "processes" / "public_admission.1.yaml").write_text(PUBLIC_ADMISSION, encoding="utf-8")
    for process in STATES:
        (folder / "processes" / f"{process}.1.yaml").write_text(process_yaml(process), encoding="utf-8")
    (folder / "processes" / "admission.1.yaml").write_text(ADMISSION, encoding="utf-8")
    return folder
