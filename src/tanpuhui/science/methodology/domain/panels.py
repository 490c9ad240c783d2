"""The expert panel of a case (专家组): who is recused and why, and a draw that anybody can repeat. Pure.

The draw: seed = SHA-256 of `<log root>|<case number>`, and the experts follow one another by SHA-256 of
`<seed>|<expert number>`, all as hexadecimal text in UTF-8. The log root is public and signed before the draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.methodology.domain.experts import InterestKind

EMPTY_LOG_ROOT = hashlib.sha256(b"").hexdigest()
"""The root of a log without a record (RFC 9162, 2.1.1): what a draw is seeded by before the first head is signed."""


class Recusal(StrEnum):
    """Why an expert does not sit (回避). research/registries.md section 4 item 5; the order is that of the checks."""

    EMPLOYER = "employer"
    MEMBER = "member"
    PROJECT = "project"
    DECLARED = "declared"
    AUTHOR = "author"
    DECIDED = "decided"
    EXCLUDED = "excluded"


class SeatState(StrEnum):
    """Where a seat of a panel stands. `recused` gave it up, `passed_over` was found to be recused when next in order."""

    SEATED = "seated"
    DECLARED = "declared"
    RECUSED = "recused"
    PASSED_OVER = "passed_over"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """An organisation that has something to win or lose: its code (USCC), and what ties it to the methodology."""

    uscc: str
    tie: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseInterests:
    """Whom the case is about. `parties` are names by USCC; users are identifiers as text, as decisions name them."""

    methodology_code: str
    parties: Mapping[str, str]
    party_ids: frozenset[int]
    running: tuple[Interest, ...]
    authors: frozenset[str]
    deciders: frozenset[str]
    excluded: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateFacts:
    """What is known of an expert. `usccs` are those of employer and sending body; `declared` (kind, reference)."""

    user_id: str
    usccs: frozenset[str]
    organisation_ids: frozenset[int]
    declared: frozenset[tuple[str, str]]


def recusal_of(expert: CandidateFacts, case: CaseInterests) -> tuple[Recusal, str] | None:
    """Return why an expert is recused from a case and the fact that says so, or None.

    The first reason in the order of `Recusal` is given; one is enough.
    """
    own_party = sorted(expert.usccs & case.parties.keys())
    if own_party:
        return Recusal.EMPLOYER, case.parties[own_party[0]]
    if expert.organisation_ids & case.party_ids:
        return Recusal.MEMBER, ", ".join(str(one) for one in sorted(expert.organisation_ids & case.party_ids))
    tied = [interest for interest in case.running if interest.uscc in expert.usccs]
    if tied:
        return Recusal.PROJECT, f"{tied[0].tie} {tied[0].reference}"
    concerned = (
        {(InterestKind.METHODOLOGY.value, case.methodology_code)}
        | {(InterestKind.ORGANISATION.value, uscc) for uscc in case.parties}
        | {(InterestKind.ORGANISATION.value, interest.uscc) for interest in case.running}
        | {(InterestKind.PROJECT.value, interest.reference) for interest in case.running}
    )
    declared = sorted(expert.declared & concerned)
    if declared:
        return Recusal.DECLARED, " ".join(declared[0])
    for reason, users in (
        (Recusal.AUTHOR, case.authors),
        (Recusal.DECIDED, case.deciders),
        (Recusal.EXCLUDED, case.excluded),
    ):
        if expert.user_id in users:
            return reason, ""
    return None


def draw_seed(*, log_root: str, case_number: str) -> str:
    """Return the seed of a draw: SHA-256 (hex) over the root of the log at that time and the case's number."""
    return hashlib.sha256(f"{log_root}|{case_number}".encode()).hexdigest()


def draw_order(*, seed: str, expert_number: int) -> str:
    """Return what an expert is ordered by; the lowest comes first."""
    return hashlib.sha256(f"{seed}|{expert_number}".encode()).hexdigest()


class PanelTermUnset(Refusal):
    """No rule sets how large a panel is or what carries, so a person says it, with the reason."""

    code = "PANEL_TERM_UNSET"
    zh = "规则没有设定“{key}”。请在抽取时写明取值和理由；它会随专家组一起公布。"
    en = "No rule sets {key}. Give a value and the reason when you draw; both are published with the panel."


class TooFewExperts(Refusal):
    """The pool cannot fill the panel."""

    code = "TOO_FEW_EXPERTS"
    zh = "需要 {seats} 名专家，符合领域且在聘期内的有 {found} 名，其中回避 {recused} 名，剩下 {left} 名不够。请增补专家库或放宽领域。"
    en = (
        "{seats} experts are needed; {found} in term are of these fields and {recused} of them are recused, which leaves "
        "{left}. Add experts to the pool, or name more fields."
    )


class NotSeated(Refusal):
    """Only who sits on the panel, and has declared to have no interest, takes part."""

    code = "NOT_SEATED"
    zh = "你不在本案专家组中，或还没有声明无利害关系，因此不能{what}。"
    en = "You do not sit on the panel of this case, or have not declared to be free of interest, so you cannot {what_en}."


class PanelIncomplete(Refusal):
    """The panel is not there yet, or too small."""

    code = "PANEL_INCOMPLETE"
    zh = "专家组还不完整：已声明无利害关系 {declared} 名，法定人数 {quorum} 名，还在等待声明 {waiting} 名。"
    en = "The panel is not complete: {declared} have declared, {quorum} are needed, {waiting} still have to declare."


class ExclusionNeedsAnother(Refusal):
    """Taking an expert off a panel takes two persons."""

    code = "EXCLUSION_NEEDS_ANOTHER"
    zh = "把专家移出专家组须由提出人以外的另一人确认。请由同事复核。"
    en = "Taking an expert off the panel is confirmed by another person than the one who proposed it. Ask a colleague."
