"""A made-up committee: a pool of experts, an applicant, one filing before them, and the log whose root seeds the draw."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from tests.integration.foundation.workflow.made_up_province import write_province
from tests.integration.science.methodology.conftest import files

from tanpuhui.books.transparency.operations import append_leaf, sequence_leaves
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import OrganisationKind, add_member, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import decide, end_notices
from tanpuhui.science.methodology.operations import (
    cast_vote,
    declare_seat,
    draw_panel,
    file_minutes,
    import_version,
    install_interest_sources,
    open_life_case,
    propose_expert,
    propose_filing,
    record_meeting,
    save_review,
    sign_conclusion,
)
from tanpuhui.science.methodology.queries import (
    Interest,
    PanelView,
    panel,
    panel_of_case,
    running_life_case,
)

AREA = "990000"
HUANGHAI = Path(__file__).resolve().parents[3] / "jurisdictions" / "huanghai"
RULES = """
pack: base
about: test
valid_from: "2020-01-01"
parameters:
  - {key: password.length_min, value: "8", unit: character, basis: 虚构, confidence: DEMO}
  - {key: password.classes_min, value: "1", unit: class, basis: 虚构, confidence: DEMO}
  - {key: password.age_days, value: "90", unit: day, basis: 虚构, confidence: DEMO}
  - {key: password.history, value: "1", unit: password, basis: 虚构, confidence: DEMO}
  - {key: notice.methodology_working_days, value: "1", unit: working day, basis: 虚构, confidence: DEMO}
  - {key: methodology.panel_seats, value: "3", unit: expert, basis: 虚构, confidence: DEMO}
  - {key: methodology.panel_quorum, value: "2", unit: expert, basis: 虚构, confidence: DEMO}
  - {key: methodology.recommend_share, value: "2/3", unit: "1", basis: 虚构, confidence: DEMO}
  - {key: methodology.reject_share, value: "1/2", unit: "1", basis: 虚构, confidence: DEMO}
  - {key: methodology.review_fee, value: "80000", unit: fen, basis: 虚构, confidence: DEMO}
  - {key: methodology.meeting_fee, value: unset, unit: fen, basis: 虚构, confidence: DEMO}
  - {key: methodology.criterion_weight, scope: additional, value: "2", unit: "1", basis: 虚构, confidence: DEMO}
"""


def write_committee_province(folder: Path) -> Path:
    """Write the made-up province with the second filing process, the appointment, the review sheet and the rules."""
    write_province(folder)
    (folder / "rules" / "base.yaml").write_text(RULES, encoding="utf-8")
    (folder / "review").mkdir()
    shutil.copy(HUANGHAI / "review" / "methodology-1.yaml", folder / "review")
    for name in ("expert_appointment.yaml", "methodology_filing_2.yaml", "methodology_life.yaml"):
        shutil.copy(HUANGHAI / "processes" / name, folder / "processes")
    return folder


@operation(roles={Role.MAKER}, subject="leaf:{at}")
def _write_leaf(*, actor: Actor, at: datetime) -> _Written:
    append_leaf(kind="file", subject=f"trial {at.isoformat()}", payload={}, at=at)
    return _Written(at=at.isoformat())


@dataclass(frozen=True)
class _Written:
    at: str


@dataclass
class Committee:
    """Who takes part. Experts are numbered from 1 in the order of their appointment."""

    at: datetime
    owner_id: int = 0
    body_id: int = 0
    maker: Actor = SYSTEM
    owner: Actor = SYSTEM
    checker: Actor = SYSTEM
    regulator: Actor = SYSTEM
    experts: dict[int, Actor] = field(default_factory=dict)
    case_id: int = 0
    version_id: int = 0
    filing_id: int = 0

    def key(self, *words: object) -> str:
        return ":".join(str(word) for word in words)

    def organisation(self, kind: OrganisationKind, number: int) -> int:
        return register_organisation(
            actor=SYSTEM,
            at=self.at,
            kind=kind,
            name=f"{kind} {number} 号",
            name_en=f"{kind} {number}",
            uscc=uscc(number),
            area=AREA,
        ).organisation_id

    def person(self, name: str, role: Role, organisation_id: int) -> Actor:
        user_id = add_member(
            actor=SYSTEM,
            at=self.at,
            organisation_id=organisation_id,
            username=name,
            display_name=f"{name} 先生",
            password=SecretStr("a long pass phrase 1"),
            role=role,
            area=AREA,
        ).user_id
        return Actor(kind="user", id=str(user_id), grants=(Grant(role, organisation_id, AREA),))

    def appoint(self, name: str, *, employer: int, fields: tuple[str, ...] = ("living",)) -> int:
        """Propose and appoint an expert of the expert body, employed by an organisation number; return the expert's number."""
        actor = self.person(name, Role.EXPERT, self.body_id)
        proposed = propose_expert(
            actor=self.maker,
            at=self.at,
            user_id=int(actor.id),
            organisation_id=self.body_id,
            employer_name=f"单位 {employer}",
            employer_uscc=uscc(employer),
            title="教授",
            fields=fields,
            term_from=date(2026, 1, 1),
            term_to=date(2027, 12, 31),
            idempotency_key=self.key("propose", name),
        )
        self.decide(proposed.case_id, "appoint", self.regulator)
        self.experts[proposed.expert_number] = actor
        return proposed.expert_number

    def decide(self, case_id: int, outcome: str, actor: Actor, **given: object) -> None:
        decide(
            actor=actor,
            at=self.at,
            idempotency_key=None,
            case_id=case_id,
            outcome=outcome,
            opinion="意见",
            **given,  # type: ignore[arg-type]
        )

    def propose(self, content: dict[str, bytes] | None = None, *, accepted: bool = True) -> None:
        """Have the owner propose a version and, as a rule, the centre accept it."""
        imported = import_version(actor=self.owner, at=self.at, files=content or files())
        proposed = propose_filing(
            actor=self.owner, at=self.at, version_id=imported.version_id, organisation_id=self.owner_id
        )
        self.version_id, self.case_id = imported.version_id, proposed.case_id
        if accepted:
            self.decide(self.case_id, "accept", self.maker)

    def draw(self, **given: object) -> PanelView:
        """Draw the panel by the rules of the made-up province."""
        drawn = draw_panel(
            actor=self.maker,
            at=self.at,
            case_id=self.case_id,
            idempotency_key=self.key("draw", self.case_id),
            **{"fields": ("living",), **given},  # type: ignore[arg-type]
        )
        return panel(drawn.panel_id)

    @property
    def panel(self) -> PanelView:
        found = panel_of_case(self.case_id)
        assert found is not None
        return found

    def declare(self, number: int, *, free: bool = True) -> None:
        declare_seat(
            actor=self.experts[number],
            at=self.at,
            panel_id=self.panel.panel_id,
            free=free,
            declaration="与本案无利害关系" if free else "本人参股申请单位",
            idempotency_key=self.key("declare", self.case_id, number),
        )

    def declare_all(self) -> None:
        for seat in self.panel.seats:
            if seat.state == "seated":
                self.declare(seat.expert_number)

    def review(self, number: int, *, submit: bool = True, score: int = 4, key: object = 0) -> None:
        codes = [criterion.code for criterion in self.panel.criteria]
        save_review(
            actor=self.experts[number],
            at=self.at,
            panel_id=self.panel.panel_id,
            scores=dict.fromkeys(codes, score),
            texts=dict.fromkeys(codes, "依据充分"),
            text="总体可行",
            recommendation="recommend",
            submit=submit,
            idempotency_key=self.key("review", self.case_id, self.panel.version_id, number, key),
        )

    def review_all(self) -> None:
        for seat in self.panel.declared:
            self.review(seat.expert_number)

    def meet(
        self, *, votes: dict[int, str] | None = None, dissent: str = "", present: tuple[int, ...] = ()
    ) -> int:
        """Record a meeting of all who are seated, minutes and votes included; return it unsigned."""
        here = present or tuple(seat.expert_number for seat in self.panel.declared)
        meeting_id = record_meeting(
            actor=self.maker,
            at=self.at,
            panel_id=self.panel.panel_id,
            held_at=self.at - timedelta(hours=1),
            place="第一会议室",
            agenda="评审",
            present=here,
            chair=here[0],
            idempotency_key=self.key("meet", self.case_id, self.panel.version_id, here),
        ).meeting_id
        file_minutes(
            actor=self.maker,
            at=self.at,
            meeting_id=meeting_id,
            content="纪要".encode(),
            name="纪要.txt",
            media_type="text/plain",
            idempotency_key=self.key("minutes", meeting_id),
        )
        for number in here:
            vote = (votes or {}).get(number, "for")
            cast_vote(
                actor=self.experts[number],
                at=self.at,
                meeting_id=meeting_id,
                vote=vote,
                dissent=dissent if vote == "against" else "",
                idempotency_key=self.key("vote", meeting_id, number),
            )
        return meeting_id

    def sign(self, meeting_id: int, conclusion: str = "recommend", *, chair: int | None = None) -> None:
        sign_conclusion(
            actor=self.experts[chair or self.panel.declared[0].expert_number],
            at=self.at,
            meeting_id=meeting_id,
            conclusion=conclusion,
            opinion="同意推荐备案",
            idempotency_key=self.key("sign", meeting_id, conclusion),
        )

    def file(self, **values: str) -> None:
        """Take a concluded filing through its notice to the filing number, a week later."""
        self.decide(self.case_id, "conclude", self.maker)
        self.at += timedelta(days=7)
        assert end_notices(at=self.at) == (self.case_id,)
        self.decide(self.case_id, "file", self.regulator, values=values)

    def life(self, outcome: str, **values: str) -> int:
        """Open a case about the filed version, have it assessed and decided; return the case."""
        opened = open_life_case(actor=self.maker, at=self.at, version_id=self.version_id)
        self.decide(opened.case_id, "assess", self.maker)
        self.decide(opened.case_id, outcome, self.regulator, values=values)
        return opened.case_id

    def life_case_closed(self) -> None:
        """Close the running case about the filed version without a measure."""
        found = running_life_case(self.version_id)
        assert found is not None
        self.decide(found.case_id, "dismiss", self.regulator)

    def conclude(self) -> None:
        """Take a drawn panel to its signed conclusion."""
        self.declare_all()
        self.review_all()
        self.sign(self.meet())


def uscc(number: int) -> str:
    """Return the code of a made-up organisation."""
    return complete_uscc("91990000", f"MB0001{number:02d}")


def running(scenario: str) -> tuple[Interest, ...]:
    """Say that organisation 3 runs project P3 in the trial scenario."""
    return (Interest(uscc=uscc(3), tie="project", reference="P3"),) if scenario == "trial" else ()


def assemble_committee(*, at: datetime, folder: Path) -> Committee:
    """Set everybody up through operations: applicant 1, expert body 2, six experts of employers 11 to 16."""
    load_jurisdiction(actor=SYSTEM, at=at, folder=folder)
    install_interest_sources((running,))
    made = Committee(at=at)
    made.owner_id = made.organisation(OrganisationKind.OWNER, 1)
    made.body_id = made.organisation(OrganisationKind.EXPERT_BODY, 2)
    centre_id = made.organisation(OrganisationKind.CENTRE, 4)
    regulator_id = made.organisation(OrganisationKind.REGULATOR, 5)
    made.owner = made.person("owner", Role.OWNER, made.owner_id)
    made.maker = made.person("maker", Role.MAKER, centre_id)
    made.checker = made.person("checker", Role.CHECKER, centre_id)
    made.regulator = made.person("regulator", Role.REGULATOR, regulator_id)
    for number in range(1, 7):
        made.appoint(f"expert{number}", employer=10 + number)
    _write_leaf(actor=SYSTEM, at=at)
    sequence_leaves(at=at)
    return made
