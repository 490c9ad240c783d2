"""Reads `processes/*.yaml`: one version of a life-cycle a file, with everything that a case of it is held to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.rulebook.adapters.placed_yaml import Placed, read_yaml
from tanpuhui.foundation.rulebook.domain import ASK_KINDS, JurisdictionInvalid, unreachable_states

ROLES = tuple(role.value for role in Role)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """One state of a process: whether its clock stands still, and for how long it is put to public notice.

    The days are written here, or are those of a dated parameter; `notice_publishes` are the kinds of attachment that
    the public may read.
    """

    code: str
    label_zh: str
    label_en: str
    clock_stops: bool = field(default=False, repr=False)
    notice: bool = field(default=False, repr=False)
    notice_working_days: int | None = field(default=None, repr=False)
    notice_basis: str = field(default="", repr=False)
    notice_confidence: str = field(default="", repr=False)
    notice_parameter: str = field(default="", repr=False)
    notice_publishes: tuple[str, ...] = field(default=(), repr=False)

    def said(self) -> dict[str, object]:
        """Return what the state says, for its hash; what the language learned later stands there only where it is said."""
        later = ("notice_confidence", "notice_parameter", "notice_publishes")
        return {name: value for name, value in asdict(self).items() if value or name not in later}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRow:
    """One value that the decider enters with a decision."""

    name: str
    label_zh: str
    label_en: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRow:
    """One transition of a process; `guards`, `evidence` and `asks` are what it demands beside a role and an opinion.

    An `independent` one is for somebody who decided nothing in the case that this one is about; `document` is the kind of
    letter that it produces, with a number of its own.
    """

    source: str
    target: str
    outcome: str
    role: str
    two_person: str | None
    label_zh: str
    label_en: str
    deadline_working_days: int | None
    deadline_basis: str
    guards: tuple[str, ...] = field(default=(), repr=False)
    evidence: tuple[str, ...] = field(default=(), repr=False)
    asks: tuple[AskRow, ...] = field(default=(), repr=False)
    independent: bool = field(default=False, repr=False)
    document: str = field(default="", repr=False)

    def said(self) -> dict[str, object]:
        """Return what the transition says, for its hash; what the language learned later only where it is said."""
        later = ("independent", "document")
        return {name: value for name, value in asdict(self).items() if value or name not in later}

    @property
    def demands(self) -> bool:
        """Say whether it says anything that the first version of the language could not say."""
        return bool(self.guards or self.evidence or self.asks or self.independent or self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """One file of processes/: a version of a life-cycle; the first state is the initial one."""

    process: str
    version: int
    label_zh: str
    label_en: str
    valid_from: date
    states: tuple[StateRow, ...]
    transitions: tuple[TransitionRow, ...]
    subject_type: str = field(repr=False)
    deadline_working_days: int | None = field(default=None, repr=False)
    deadline_basis: str = field(default="", repr=False)

    def sha256(self) -> str:
        """Return a hash of everything this version says.

        What the language learned later is hashed only where it is said, so that an older version keeps its hash.
        """
        added = {
            "process": self.deadline_working_days,
            "states": [state.said() for state in self.states if state.clock_stops or state.notice],
            "transitions": [t.said() for t in self.transitions if t.demands],
        }
        said = json.dumps(added, ensure_ascii=False, sort_keys=True) if any(added.values()) else ""
        return hashlib.sha256((repr(self) + said).encode()).hexdigest()


def read_processes(folder: Path) -> tuple[ProcessRow, ...]:
    """Read every file of processes/. Raises JurisdictionInvalid."""
    rows = tuple(_process(read_yaml(path)) for path in sorted((folder / "processes").glob("*.yaml")))
    keys = [(row.process, row.version) for row in rows]
    if len(set(keys)) != len(keys):
        raise JurisdictionInvalid(
            file="processes", line=1, why="one version of one process stands in two files"
        )
    return rows


def _process(top: Placed) -> ProcessRow:
    fields = top.fields(
        required=(
            *("process", "version", "subject_type", "label_zh", "label_en", "valid_from"),
            *("states", "transitions"),
        ),
        optional=("deadline_working_days", "deadline_basis"),
    )
    states = tuple(_state(item) for item in fields["states"].items())
    codes = tuple(state.code for state in states)
    if not codes or len(set(codes)) != len(codes):
        raise fields["states"].refuse("a process has states, each once")
    placed = [
        (item, row) for item in fields["transitions"].items() for row in _transitions(item, states=codes)
    ]
    _check_ways(placed)
    transitions = tuple(row for _, row in placed)
    lost = unreachable_states(codes[0], codes, ((t.source, t.target) for t in transitions))
    if lost:
        raise fields["states"].refuse("no transition leads to " + ", ".join(lost))
    _check_notices(fields["states"], states=states, transitions=transitions)
    return ProcessRow(
        process=fields["process"].text(),
        version=fields["version"].whole_number(),
        label_zh=fields["label_zh"].text(),
        label_en=fields["label_en"].text(),
        valid_from=fields["valid_from"].day(),
        states=states,
        transitions=transitions,
        subject_type=_name(fields["subject_type"]),
        deadline_working_days=_days(fields["deadline_working_days"])
        if "deadline_working_days" in fields
        else None,
        deadline_basis=fields["deadline_basis"].text() if "deadline_basis" in fields else "",
    )


def _check_ways(placed: list[tuple[Placed, TransitionRow]]) -> None:
    outcomes = {row.outcome for _, row in placed}
    ways: dict[tuple[str, str], str] = {}
    for item, row in placed:
        if row.two_person is not None and row.two_person not in outcomes:
            raise item.refuse(f"{row.two_person!r} is not an outcome of this process")
        if ways.setdefault((row.source, row.outcome), row.target) != row.target:
            raise item.refuse(f"{row.outcome} leads from {row.source} to two states")


def _check_notices(
    place: Placed, *, states: tuple[StateRow, ...], transitions: tuple[TransitionRow, ...]
) -> None:
    """Refuse a notice that no decision opens, and one that people cannot end where an objection is found right."""
    for state in states:
        if not state.notice:
            continue
        if state is states[0]:
            raise place.refuse(f"a case cannot begin with its notice ({state.code}): a decision opens it")
        ways = [row for row in transitions if row.source == state.code]
        if not ways:
            raise place.refuse(f"nothing leaves the notice of {state.code}")
        if all(row.role == Role.SYSTEM for row in ways):
            raise place.refuse(
                f"only the system leaves the notice of {state.code}: an upheld objection stops it, so people need a way out"
            )
        for row in ways:
            if row.role == Role.SYSTEM and not {"notice_over", "objections_answered"} <= set(row.guards):
                raise place.refuse(
                    f"the system leaves the notice of {state.code} only under notice_over and objections_answered"
                )


def _state(item: Placed) -> StateRow:
    fields = item.fields(required=("code", "label_zh", "label_en"), optional=("clock", "notice"))
    state = StateRow(
        code=fields["code"].text(),
        label_zh=fields["label_zh"].text(),
        label_en=fields["label_en"].text(),
        clock_stops="clock" in fields and fields["clock"].one_of(("runs", "stops")) == "stops",
    )
    return _with_notice(state, fields["notice"]) if "notice" in fields else state


def _with_notice(state: StateRow, item: Placed) -> StateRow:
    """Read the terms of a notice: its days with their basis, or the parameter that holds both."""
    fields = item.fields(
        required=(), optional=("working_days", "basis", "confidence", "parameter", "publishes")
    )
    if ("parameter" in fields) == ("working_days" in fields) or ("basis" in fields) != (
        "working_days" in fields
    ):
        raise item.refuse("a notice names working_days with their basis, or the parameter that holds them")
    if "parameter" in fields and "confidence" in fields:
        raise item.refuse("the parameter has a confidence of its own")
    days = _days(fields["working_days"]) if "working_days" in fields else None
    confidence = fields["confidence"].evidence_tag() if "confidence" in fields else ""
    if days is not None and confidence == "NOT ESTABLISHED":
        raise fields["confidence"].refuse("what is not established has no value: write unset")
    parameter = fields["parameter"].text() if "parameter" in fields else ""
    if parameter and _PARAMETER.fullmatch(parameter) is None:
        raise fields["parameter"].refuse(f"{parameter!r} is not the key of a parameter")
    return replace(
        state,
        notice=True,
        notice_working_days=days,
        notice_basis=fields["basis"].text() if "basis" in fields else "",
        notice_confidence=confidence,
        notice_parameter=parameter,
        notice_publishes=tuple(_name(one) for one in fields["publishes"].items())
        if "publishes" in fields
        else (),
    )


def _transitions(item: Placed, *, states: tuple[str, ...]) -> Iterator[TransitionRow]:
    """Give one row for each source of a transition."""
    fields = item.fields(
        required=(
            *("source", "target", "outcome", "role", "label_zh", "label_en"),
            *("deadline_working_days", "deadline_basis"),
        ),
        optional=("two_person", "guards", "evidence", "asks", "independent", "document"),
    )
    sources = tuple(fields["source"].items()) if fields["source"].is_list() else (fields["source"],)
    for source in sources:
        yield TransitionRow(
            source=source.one_of(states),
            target=fields["target"].one_of(states),
            outcome=_name(fields["outcome"]),
            role=fields["role"].one_of(ROLES),
            two_person=fields["two_person"].text() if "two_person" in fields else None,
            label_zh=fields["label_zh"].text(),
            label_en=fields["label_en"].text(),
            deadline_working_days=_days(fields["deadline_working_days"]),
            deadline_basis=fields["deadline_basis"].text(),
            guards=tuple(_name(one) for one in fields["guards"].items()) if "guards" in fields else (),
            evidence=tuple(_name(one) for one in fields["evidence"].items()) if "evidence" in fields else (),
            asks=tuple(_ask(one) for one in fields["asks"].items()) if "asks" in fields else (),
            independent="independent" in fields and fields["independent"].one_of(("yes", "no")) == "yes",
            document=_name(fields["document"]) if "document" in fields else "",
        )


def _ask(item: Placed) -> AskRow:
    fields = item.fields(required=("name", "label_zh", "label_en", "kind"), optional=("required",))
    return AskRow(
        name=_name(fields["name"]),
        label_zh=fields["label_zh"].text(),
        label_en=fields["label_en"].text(),
        kind=fields["kind"].one_of(ASK_KINDS),
        required="required" not in fields or fields["required"].one_of(("yes", "no")) == "yes",
    )


def _days(item: Placed) -> int | None:
    return None if item.text_or_unset() is None else item.whole_number()


def _name(item: Placed) -> str:
    text = item.text()
    if _NAME.fullmatch(text) is None:
        raise item.refuse(f"{text!r} is not a name in small letters, digits and underscores")
    return text
