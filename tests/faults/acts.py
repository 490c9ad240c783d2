"""What people do in a process of its own: `python -m tests.faults.acts found|partner|send …`, with the answer as JSON."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import django


def found(today: date) -> dict[str, int]:
    """Play the founding acts of the demonstration: rules, organisations, methodologies, scenarios, citizens."""
    from django.conf import settings

    from tanpuhui.interfaces.commands.demonstration import founding
    from tanpuhui.interfaces.commands.demonstration.cast import read_cast
    from tanpuhui.interfaces.commands.demonstration.stage import Stage
    from tanpuhui.interfaces.commands.demonstration.story import ACTS

    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    stage = Stage(
        cast=read_cast(folder),
        folder=folder,
        methodologies=Path(settings.TANPUHUI_METHODOLOGIES_DIR),
        today=today,
        password="only-for-tests-42",
    )
    for act in ACTS:
        act.play(stage)
        if act.play is founding.admit_citizens:
            break
    return {"citizens": len(stage.citizen_ids)}


def send(first_day: date, rows: int, seed: int) -> int:
    """Send one file as the first data partner and return its batch; the same arguments are the same bytes."""
    from django.conf import settings

    from tanpuhui.behaviour.activity.operations import receive_batch
    from tanpuhui.foundation.identity.queries import organisations
    from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
    from tanpuhui.interfaces.commands.demonstration.behaviour_generator import (
        Traveller,
        behaviour_rows,
        csv_lines,
    )
    from tanpuhui.interfaces.commands.demonstration.cast import read_cast
    from tanpuhui.interfaces.commands.demonstration.people import invent_citizens

    cast = read_cast(Path(settings.TANPUHUI_JURISDICTION_DIR))
    troupe = next(troupe for troupe in cast.troupes if troupe.feed is not None)
    assert troupe.feed is not None
    partner = next(row for row in organisations() if row.name == troupe.name)
    lines = csv_lines(
        behaviour_rows(
            seed=seed,
            scenario=troupe.feed.code,
            travellers=[Traveller(subject=one.subject, area=one.area) for one in invent_citizens(cast)],
            first_day=first_day,
            days=2,
            records=rows,
        )
    )
    grant = Grant(role=Role.PARTNER, organisation_id=partner.id, area=troupe.area)
    received = receive_batch(
        actor=Actor(kind="partner", id=str(partner.id), grants=(grant,)),
        at=datetime.now(UTC),
        # Another key for every sending: what makes a resend harmless here is the file itself.
        idempotency_key=f"faults:{seed}:{datetime.now(UTC).isoformat()}",
        partner_id=partner.id,
        adapter="standard",
        file_name=f"{troupe.feed.code}-{seed}.csv",
        media_type="text/csv",
        content="".join(lines).encode(),
    )
    return received.batch_id


def partner(_today: date) -> dict[str, object]:
    """Return what a partner's system needs to send: its number, a key, scenario, area and its people's subjects."""
    from django.conf import settings

    from tanpuhui.foundation.identity.operations import issue_api_key
    from tanpuhui.foundation.identity.queries import organisations
    from tanpuhui.foundation.kernel.actors import SYSTEM
    from tanpuhui.interfaces.commands.demonstration.cast import read_cast
    from tanpuhui.interfaces.commands.demonstration.people import invent_citizens

    cast = read_cast(Path(settings.TANPUHUI_JURISDICTION_DIR))
    troupe = next(troupe for troupe in cast.troupes if troupe.feed is not None)
    assert troupe.feed is not None
    row = next(one for one in organisations() if one.name == troupe.name)
    key = issue_api_key(actor=SYSTEM, at=datetime.now(UTC), organisation_id=row.id, name="faults").key
    return {
        "partner_id": row.id, "key": key, "scenario": troupe.feed.code,
        "people": [[one.subject, one.area] for one in invent_citizens(cast)],
    }  # fmt: skip


def main(arguments: list[str]) -> None:
    django.setup()
    today = date.fromisoformat(arguments[1])
    if arguments[0] == "found":
        answer: object = found(today)
    elif arguments[0] == "partner":
        answer = partner(today)
    else:
        rows, *seeds = (int(argument) for argument in arguments[2:])
        answer = [send(today - timedelta(days=3 + 2 * seed), rows, seed) for seed in seeds]
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
