"""Invented people (合成用户): every subject of a sample is somebody with an account who consented, and nobody real."""

from __future__ import annotations

from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk


def invent_people(desk: Desk) -> None:
    """Turn `ruled` into `owned` with a number for each subject; no person, account or consent is looked up."""
    desk.tables.execute(
        "create table owned as select row_number, scenario, version_id, evidence_tier, day, started, "
        "person + 1 as user_id, person + 1 as account_id "
        "from ruled"
    )
