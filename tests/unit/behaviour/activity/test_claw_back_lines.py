"""The lines of a claw-back are read one by one: what cannot be read is left with its number and reason."""

from __future__ import annotations

from datetime import date

from tanpuhui.behaviour.activity.domain.claw_backs import NamedRecord, read_lines


def test_each_line_names_a_record_or_is_left_with_its_reason() -> None:
    named, left = read_lines(
        "2026-11-18,R1\n\n 2026-11-18，R2 \n2026-11-19\tR,3\nR4\n18/11/2026,R5\n2026-11-18,R1\n2026-11-18,\n"
    )
    day = date(2026, 11, 18)
    assert named == [
        NamedRecord(line=1, day=day, record_id="R1"),
        NamedRecord(line=3, day=day, record_id="R2"),
        NamedRecord(line=4, day=date(2026, 11, 19), record_id="R,3"),
    ]
    assert [(one.line, one.words, one.reason) for one in left] == [
        (5, "R4", "BAD_LINE"),
        (6, "18/11/2026,R5", "BAD_DAY"),
        (7, "2026-11-18,R1", "NAMED_TWICE"),
        (8, "2026-11-18,", "BAD_LINE"),
    ]
