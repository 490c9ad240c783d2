"""A city's programme of its own, made through operations: its file of members, and the case in which it is taken over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tests.rewards_market import AREA, Market, open_market

from tanpuhui.behaviour.carbon_accounts import operations
from tanpuhui.foundation.identity.operations import OrganisationKind, register_citizen, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.workflow.operations import decide

HEADER = "member_id,phone,area,points,grams,as_of,member_since"
AS_OF = date(2026, 10, 31)
NEWCOMER = "13900000009"
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))


def member(
    number: int, *, phone: str = "", points: str = "100", grams: str = "5000", area: str = "990102"
) -> str:
    """Return one good line of a file."""
    return f"M{number},{phone or f'139{number:08d}'},{area},{points},{grams},2026-10-31,2022-05-01"


def file_of(*lines: str) -> bytes:
    """Return the file of these lines."""
    return "\n".join((HEADER, *lines, "")).encode()


@dataclass(frozen=True, kw_only=True)
class Programme:
    """A market, and beside it the organisation that ran the city's own programme."""

    market: Market
    id: int
    partner: Actor

    @property
    def at(self) -> datetime:
        """Return the moment at which everything happens."""
        return self.market.at

    def send(self, *lines: str, content: bytes = b"", key: str = "s1", actor: Actor | None = None) -> int:
        """Hand over a file and return its admission."""
        return operations.receive_admission(
            actor=actor or self.market.maker, at=self.at, idempotency_key=key, programme_id=self.id, as_of=AS_OF,
            file_name="members.csv", media_type="text/csv", content=content or file_of(*lines),
        ).admission_id  # fmt: skip

    def propose(
        self, admission_id: int, *, rate: str = "1/2", source: str = "市政府会议纪要", budget: int = 1_000_000,
        key: str = "p1",
    ) -> operations.AdmissionProposed:  # fmt: skip
        """State the terms."""
        return operations.propose_admission(
            actor=self.market.maker, at=self.at, admission_id=admission_id, rate=rate, rate_source=source, budget=budget,
            payer="北港市", reason="已核对", idempotency_key=key,
        )  # fmt: skip

    def decided(self, case_id: int, outcome: str, actor: Actor = CHECKER, at: datetime | None = None) -> None:
        """Take one decision."""
        decide(
            actor=actor, at=at or self.at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="已核对"
        )  # fmt: skip

    def admit(self, *lines: str, content: bytes = b"", key: str = "1") -> int:
        """Hand over a file and have it admitted by two persons."""
        admission_id = self.send(*lines, content=content, key=f"s{key}")
        self.decided(self.propose(admission_id, key=f"p{key}").case_id, "approve")
        return admission_id

    def claim(
        self, admission_id: int, *, person: Actor | None = None, at: datetime | None = None, key: str = "c1"
    ) -> operations.AdmissionClaimed:
        """Accept as the first person of the market."""
        return operations.claim_admission(
            actor=person or self.market.people[0], at=at or self.at, admission_id=admission_id, text_version="2026-1",
            idempotency_key=key,
        )  # fmt: skip

    def decline(self, admission_id: int, *, person: Actor | None = None) -> None:
        """Decline as the first person of the market."""
        operations.decline_admission(
            actor=person or self.market.people[0], at=self.at, admission_id=admission_id, idempotency_key="d1"
        )  # fmt: skip

    def newcomer(self, phone: str = NEWCOMER) -> Actor:
        """Register somebody who has no carbon account yet."""
        user_id = register_citizen(
            actor=SYSTEM, at=self.at, phone=phone, display_name="新来的", area=AREA
        ).user_id
        return Actor(kind="user", id=str(user_id), grants=(Grant(role=Role.CITIZEN, area=AREA),))


def open_programme(*, at: datetime, folder: Path, kinds: Sequence[str] = ("北港绿行",)) -> Programme:
    """Set the market up, and the organisation."""
    market = open_market(at=at, folder=folder)
    ids = [
        register_organisation(
            actor=SYSTEM, at=at, kind=OrganisationKind.PARTNER, name=name, name_en="Beigang Green", area=AREA,
            uscc=complete_uscc("91990000", f"MA00030{place}"),
        ).organisation_id
        for place, name in enumerate(kinds)
    ]  # fmt: skip
    partner = Actor(
        kind="user", id="9040", grants=(Grant(role=Role.PARTNER, organisation_id=ids[0], area=AREA),)
    )
    return Programme(market=market, id=ids[0], partner=partner)
