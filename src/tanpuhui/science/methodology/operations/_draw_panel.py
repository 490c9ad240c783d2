"""Draw the panel of a filing (随机抽取): who could sit, who is recused and why, and the order that the seed gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from tanpuhui.books.transparency import queries as transparency
from tanpuhui.foundation.audit import queries as audit
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import (
    EMPTY_LOG_ROOT,
    CandidateFacts,
    CaseInterests,
    PanelTermUnset,
    Recusal,
    TooFewExperts,
    draw_order,
    draw_seed,
    recusal_of,
    share,
)
from tanpuhui.science.methodology.events import ExpertCalled
from tanpuhui.science.methodology.models import (
    ExpertExclusion,
    MethodologyDraft,
    MethodologyFiling,
    PanelCandidate,
    PanelSeat,
    ReviewPanel,
)
from tanpuhui.science.methodology.operations._interests import interests_in
from tanpuhui.science.methodology.queries import (
    ExpertTermView,
    expert_pool,
    interests_declared,
    review_sheet,
)

HISTORY_MAX = 10_000
TERMS = {
    "seats": "methodology.panel_seats",
    "quorum": "methodology.panel_quorum",
    "recommend_share": "methodology.recommend_share",
    "reject_share": "methodology.reject_share",
}
"""What a panel is set up with → the rule parameter that says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelDrawn:
    """A panel stands; its experts have yet to declare."""

    panel_id: int
    case_id: int
    seed: str
    expert_numbers: tuple[int, ...]


@operation(roles={Role.MAKER}, subject="review_panel:{panel_id}")
def draw_panel(
    *,
    actor: Actor,
    at: datetime,
    case_id: int,
    fields: Sequence[str],
    seats: int | None = None,
    quorum: int | None = None,
    recommend_share: str | None = None,
    reject_share: str | None = None,
    reason: str = "",
    idempotency_key: str,
) -> PanelDrawn:
    """Draw the panel of a running filing case, once. What a rule sets is not given; what no rule sets is, with a reason.

    Candidates are those in term and of one of the fields. Everything that the draw was made from is kept and public, so
    that anybody can repeat it. Raises NotFound, NotPermitted, PanelTermUnset, Invalid, TooFewExperts.
    """
    lock_names(f"methodology:panel:{case_id}")
    case = workflow.case(case_id)
    actor.require(Role.MAKER, operation="methodology.draw_panel", area=case.area)
    filing = _filing_without_panel(case)
    sheet = review_sheet(at=at)
    if not fields or not set(fields) <= {one.code for one in sheet.fields}:
        raise Invalid(field="fields", why="领域须在评审表所列之中 / one or more of the review sheet's fields")
    given = {
        "seats": seats,
        "quorum": quorum,
        "recommend_share": recommend_share,
        "reject_share": reject_share,
    }
    terms, basis = _terms(given, reason=reason, at=at)
    signed = transparency.head()
    head, root = (signed.head.number, signed.head.root) if signed is not None else (0, EMPTY_LOG_ROOT)
    seed = draw_seed(log_root=root, case_number=case.number)
    pool = expert_pool(day=business_day(at), fields=fields)
    ordered = sorted(pool, key=lambda one: draw_order(seed=seed, expert_number=one.expert_number))
    about = interests_of_case(filing, at=at)
    recusals = [recusal_of(candidate_facts(one, at=at), about) for one in ordered]
    free = [one for one, recusal in zip(ordered, recusals, strict=True) if recusal is None]
    wanted = int(terms["seats"])
    if len(free) < wanted:
        raise TooFewExperts(
            seats=wanted, found=len(ordered), recused=len(ordered) - len(free), left=len(free)
        )
    panel = ReviewPanel.objects.create(
        filing=filing,
        case_id=case_id,
        case_number=case.number,
        fields=sorted(set(fields)),
        seats=wanted,
        quorum=int(terms["quorum"]),
        recommend_share=terms["recommend_share"],
        reject_share=terms["reject_share"],
        terms_basis=basis,
        score_max=sheet.score_max,
        criteria=[asdict(criterion) for criterion in sheet.criteria],
        sheet_sha256=sheet.sha256,
        log_head=head,
        log_root=root,
        seed=seed,
        drawn_at=at,
        drawn_by=actor.id,
    )
    _seat(panel, ordered=ordered, recusals=recusals, seed=seed)
    numbers = tuple(one.expert_number for one in free[:wanted])
    return PanelDrawn(panel_id=panel.pk, case_id=case_id, seed=seed, expert_numbers=numbers)


def _filing_without_panel(case: workflow.CaseView) -> MethodologyFiling:
    """Return the filing of a running case whose panel is not drawn yet. Raises NotFound, Invalid."""
    filing = MethodologyFiling.objects.select_related("version").filter(case_id=case.case_id).first()
    if filing is None or case.closed_at is not None:
        raise NotFound(what="在办备案案件 / running filing case", id=case.case_id)
    if ReviewPanel.objects.filter(case_id=case.case_id).exists():
        raise Invalid(field="case", why="本案的专家组已经抽取 / the panel of this case is drawn already")
    return filing


def _seat(
    panel: ReviewPanel,
    *,
    ordered: Sequence[ExpertTermView],
    recusals: Sequence[tuple[Recusal, str] | None],
    seed: str,
) -> None:
    """Keep every candidate with place and recusal, and call the first who are free of interest."""
    PanelCandidate.objects.bulk_create(
        PanelCandidate(
            panel=panel,
            expert_id=one.expert_number,
            term_id=one.term_id,
            place=place,
            order_sha256=draw_order(seed=seed, expert_number=one.expert_number),
            recusal=recusal[0].value if recusal else "",
            recusal_detail=recusal[1] if recusal else "",
        )
        for place, (one, recusal) in enumerate(zip(ordered, recusals, strict=True), start=1)
    )
    free = [one for one, recusal in zip(ordered, recusals, strict=True) if recusal is None]
    for place, one in enumerate(free[: panel.seats], start=1):
        PanelSeat.objects.create(
            panel=panel, expert_id=one.expert_number, place=place, seated_at=panel.drawn_at
        )
        publish(ExpertCalled(panel_id=panel.pk, case_id=panel.case_id, expert_number=one.expert_number))


def candidate_facts(term: ExpertTermView, *, at: datetime) -> CandidateFacts:
    """Return what recusal compares of an expert: employer, body, memberships now, declared interests now."""
    body = identity.organisation(term.organisation_id)
    member_of = {
        grant.organisation_id
        for grant in identity.actor_of(user_id=term.user_id, at=at).grants
        if grant.organisation_id is not None and grant.organisation_id != term.organisation_id
    }
    return CandidateFacts(
        user_id=str(term.user_id),
        usccs=frozenset({term.employer_uscc, body.uscc}),
        organisation_ids=frozenset(member_of),
        declared=frozenset((one.kind, one.reference) for one in interests_declared(term.expert_number)),
    )


def interests_of_case(filing: MethodologyFiling, *, at: datetime) -> CaseInterests:
    """Return whom a filing is about: applicant, parties, who runs something in the scenario, authors, deciders."""
    if filing.case_id is None:
        raise NotFound(what="备案案件 / filing case", id=filing.pk)
    case = workflow.case(filing.case_id)
    lines = workflow.timeline(filing.case_id)
    ids = {case.organisation_id, *case.parties.values()} - {None}
    parties = [identity.organisation(one) for one in ids if one is not None]
    excluded = ExpertExclusion.objects.filter(
        panel__case_id=filing.case_id, confirmed_at__isnull=False
    ).values_list("expert__user_id", flat=True)
    return CaseInterests(
        methodology_code=filing.version.code,
        parties={one.uscc: one.name for one in parties},
        party_ids=frozenset(one.id for one in parties),
        running=interests_in(filing.version.scenario),
        authors=_authors(filing) | _users(lines[:1]),
        deciders=_users(lines[1:]),
        excluded=frozenset(str(one) for one in excluded),
    )


def _users(lines: Sequence[workflow.TimelineLine]) -> frozenset[str]:
    return frozenset(line.actor_id for line in lines if line.actor_kind == "user")


def _authors(filing: MethodologyFiling) -> frozenset[str]:
    """Return who wrote or handed in any version of a filing, from the audit record: every saving of its drafts counts."""
    versions = list(filing.versions.values_list("version_id", flat=True))
    drafts = MethodologyDraft.objects.filter(version_id__in=versions).values_list("pk", flat=True)
    subjects = [f"methodology_version:{one}" for one in versions]
    subjects += [f"methodology_draft:{one}" for one in drafts]
    written = {"methodology.import_archive", "methodology.open_draft", "methodology.save_draft"}
    return frozenset(
        line.actor_id
        for subject in subjects
        for line in audit.timeline(subject=subject, limit=HISTORY_MAX)
        if line.actor_kind == "user" and line.operation in written
    )


def _terms(
    given: Mapping[str, str | int | None], *, reason: str, at: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """Return each term of the panel, from the rules or else from the person, and what it rests on."""
    terms: dict[str, str] = {}
    basis: dict[str, str] = {}
    for name, key in TERMS.items():
        rule = rulebook.parameter(key=key, at=at)
        if rule.value is not None:
            if given[name] is not None and str(given[name]) != rule.value:
                raise Invalid(field=name, why=f"规则已设定为 {rule.value} / a rule sets it to {rule.value}")
            terms[name], basis[name] = rule.value, f"{key} [{rule.confidence}] {rule.basis}"
        else:
            value = given[name]
            if value is None or not reason.strip():
                raise PanelTermUnset(key=key)
            terms[name], basis[name] = str(value), reason.strip()
    for name in ("seats", "quorum"):
        if not terms[name].isdigit() or int(terms[name]) < 1:
            raise Invalid(field=name, why="大于 0 的整数 / a whole number above 0")
    if int(terms["quorum"]) > int(terms["seats"]):
        raise Invalid(field="quorum", why="法定人数不多于席位数 / the quorum is not above the seats")
    if sum(share(terms[name], field=name) for name in ("recommend_share", "reject_share")) <= 1:
        raise Invalid(
            field="reject_share", why="推荐与否决的比例之和须大于 1 / the two shares add up to more than 1"
        )
    return terms, basis
