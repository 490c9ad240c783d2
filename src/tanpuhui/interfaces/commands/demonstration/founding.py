"""Act one: rules, organisations, methodologies, scenarios, citizens and their consents."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import typst
from pydantic import SecretStr

from tanpuhui import journeys
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_accounts
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.credits.projects.operations import register_project
from tanpuhui.credits.registry.operations import open_holding
from tanpuhui.foundation.identity.operations import (
    AuthorisedPerson,
    NewCitizen,
    OrganisationFacts,
    OrganisationKind,
    add_member,
    bind_partner_subjects,
    enrol_demonstration_totp,
    give_consents,
    load_consent_texts,
    register_citizens,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.operations import load_jurisdiction, set_holiday
from tanpuhui.foundation.workflow.operations import decide, end_notices
from tanpuhui.interfaces.commands.demonstration import reviewing
from tanpuhui.interfaces.commands.demonstration.people import invent_citizens
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.interfaces.design.typeset import fonts_folder
from tanpuhui.science.methodology.operations import import_library, import_version, propose_filing
from tanpuhui.science.methodology.queries import VersionView, files, library

CONTRACT_DAYS = 730
CONSENT_TEXT = "2026-1"
ON_THE_WAY = frozenset({"draft", "proposed", "reviewed"})
"""States of a version that an earlier run, broken off, may have left behind."""
REVISION = "1.1"


def load_rules(stage: Stage) -> None:
    """Load the jurisdiction with its demonstration pack, and the wordings of its messages and consents."""
    load_jurisdiction(actor=SYSTEM, at=stage.entering(), folder=stage.folder, packs=("base", "demonstration"))
    load_templates(actor=SYSTEM, at=stage.entering(), folder=stage.folder)
    load_consent_texts(actor=SYSTEM, at=stage.entering(), folder=stage.folder)
    _fill_calendar(stage)


def _fill_calendar(stage: Stage) -> None:
    """Enter the new year's day of a year whose holidays are not published yet, so that notices have their last day."""
    for year in range(stage.entering().year, stage.today.year + 2):
        try:
            rulebook.add_working_days(date(year, 1, 1), 1)
        except rulebook.HolidaysUnset:
            set_holiday(
                actor=SYSTEM,
                at=stage.entering(),
                day=date(year, 1, 1),
                works=False,
                name_zh="元旦",
                basis="演示值：这一年的放假安排还没有录入",
                idempotency_key=stage.key("calendar", year),
            )


def admit_organisations(stage: Stage) -> None:
    """Register every organisation and the people who sign in for it."""
    at = stage.entering()
    centre_area = stage.cast.troupe("centre").area
    for troupe in stage.cast.troupes:
        stage.organisation_ids[troupe.key] = register_organisation(
            actor=SYSTEM,
            at=at,
            kind=OrganisationKind(troupe.kind),
            name=troupe.name,
            name_en=troupe.name_en,
            uscc=complete_uscc(*troupe.uscc_stem),
            area=troupe.area,
            idempotency_key=stage.key("organisation", troupe.key),
        ).organisation_id
        for player in troupe.players:
            stage.user_ids[player.username] = add_member(
                actor=SYSTEM,
                at=at,
                organisation_id=stage.organisation_ids[troupe.key],
                username=player.username,
                display_name=player.name,
                password=SecretStr(stage.password),
                role=Role(player.role),
                # People of a sub-centre serve whatever cities it is assigned; the others their organisation's area.
                area=centre_area if troupe.kind == OrganisationKind.SUBCENTRE else troupe.area,
                temporary=False,
                idempotency_key=stage.key("member", player.username),
            ).user_id
            enrol_demonstration_totp(actor=SYSTEM, at=at, user_id=stage.user_ids[player.username])


def file_methodologies(stage: Stage) -> None:
    """Appoint the experts, take the library in as drafts, and what the demonstration's values let run through the committee.

    The rest stays a draft: it waits for values that only an operator can give.
    """
    reviewing.appoint_experts(stage)
    at = stage.entering() + timedelta(hours=2)
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    parameters = (stage.folder / "parameter_sets" / "demonstration.yaml").read_bytes()
    import_library(actor=maker, at=at, folder=stage.methodologies, parameter_set=parameters)
    versions = [
        one
        for one in library()
        if one.purpose == "demonstration" and one.state in ON_THE_WAY and one.version != REVISION
    ]
    reviewing.declare_interest(stage, at=at)
    cases = [_proposed(stage, one, at=at) for one in versions]
    for place, case_id in enumerate(cases):
        panel = reviewing.seat_panel(stage, case_id=case_id, at=at + timedelta(days=1))
        reviewing.review(stage, panel=panel, at=at + timedelta(days=5))
        reviewing.meet(stage, panel=panel, at=at + timedelta(days=8), dissent=place == 0)
    end_notices(at=at + timedelta(days=30))
    at += timedelta(days=31)
    for case_id in cases:
        decide(
            actor=stage.actor(stage.with_role("regulator", "regulator"), at),
            at=at,
            idempotency_key=stage.key("filing", case_id, "file"),
            case_id=case_id,
            outcome="file",
            opinion="公示无异议，同意备案。演示意见。",
        )


def _proposed(stage: Stage, version: VersionView, *, at: datetime) -> int:
    """Return the filing case of a version, proposed now if an earlier run did not."""
    if version.case_id is not None:
        return version.case_id
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    return propose_filing(
        actor=maker, at=at, version_id=version.id, valid_from=stage.first_day - timedelta(days=1)
    ).case_id


def open_books(stage: Stage) -> None:
    """Register the projects that sweep the scenarios, and open the holding accounts."""
    at = stage.founding() + timedelta(days=1)
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    for troupe in stage.cast.troupes:
        if troupe.kind in {"owner", "buyer"}:
            open_holding(
                actor=maker,
                at=at,
                organisation_id=stage.organisation_ids[troupe.key],
                idempotency_key=stage.key("holding", troupe.key),
            )
    for project in stage.cast.projects:
        register_project(
            actor=maker,
            at=at,
            owner_id=stage.organisation_ids[project.owner],
            code=project.code,
            scenario=project.scenario,
            name_zh=project.name_zh,
            name_en=project.name_en,
            area=project.area,
            idempotency_key=stage.key("project", project.code),
        )


def admit_citizens(stage: Stage) -> None:
    """Register the citizens, open their accounts, bind them to the partners and record their consents."""
    at = stage.founding() + timedelta(days=2)
    stage.citizens = invent_citizens(stage.cast)
    stage.citizen_ids = register_citizens(
        actor=SYSTEM,
        at=at,
        citizens=[
            NewCitizen(phone=citizen.phone, display_name=citizen.name, area=citizen.area)
            for citizen in stage.citizens
        ],
        idempotency_key=stage.key("citizens"),
    ).user_ids
    open_carbon_accounts(
        actor=SYSTEM, at=at, user_ids=stage.citizen_ids, idempotency_key=stage.key("carbon accounts")
    )
    pairs = [
        (citizen.subject, user_id) for citizen, user_id in zip(stage.citizens, stage.citizen_ids, strict=True)
    ]
    for troupe in stage.cast.troupes:
        if troupe.feed is None:
            continue
        bind_partner_subjects(
            actor=SYSTEM,
            at=at,
            partner_id=stage.organisation_ids[troupe.key],
            pairs=pairs,
            idempotency_key=stage.key("subjects", troupe.key),
        )
        give_consents(
            actor=SYSTEM,
            at=at,
            # One in forty keeps a scenario to themselves: their records are refused, and the report says so.
            user_ids=[user_id for number, user_id in enumerate(stage.citizen_ids) if number % 40 != 39],
            scenario=troupe.feed.code,
            text_version=CONSENT_TEXT,
            idempotency_key=stage.key("consents", troupe.key),
        )


def propose_revisions(stage: Stage) -> None:
    """Leave revised versions on the way: two before their panels, one to be filed, so that everybody has something to decide."""
    at = stage.moment(stage.today - timedelta(days=24))
    sequence_leaves(at=at)
    maker = stage.actor(stage.with_role("centre", "maker"), at)
    parameters = (stage.folder / "parameter_sets" / "demonstration.yaml").read_bytes()
    filed = sorted(
        (one for one in library() if one.state == "filed" and one.purpose == "demonstration"),
        key=lambda one: one.code,
    )
    revised = [
        import_version(
            actor=maker, at=at, files=_revised(dict(files(one.id))), parameter_set=parameters
        ).version_id
        for one in (filed[0], filed[1], filed[-1])
    ]
    cases = [
        _proposed(stage, next(one for one in library() if one.id == version_id), at=at)
        for version_id in revised
    ]
    last = reviewing.seat_panel(stage, case_id=cases[-1], at=at)
    reviewing.review(stage, panel=last, at=at + timedelta(days=1))
    reviewing.meet(stage, panel=last, at=at + timedelta(days=2))
    end_notices(at=stage.moment(stage.today - timedelta(days=5)))
    for case_id, wanted in zip(cases[:2], (reviewing.partial_expert(stage).username, ""), strict=True):
        days = timedelta(days=19)
        panel = reviewing.seat_panel(stage, case_id=case_id, at=at + days, wanted=wanted)
        reviewing.remark(stage, panel=panel, at=at + days)


def _revised(content: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files as version 1.1: the same method, proposed again with its next number."""
    number = f'version: "{REVISION}"'.encode()
    content["methodology.yaml"] = content["methodology.yaml"].replace(b'version: "1.0"', number, 1)
    return content


def apply_for_organisation(stage: Stage) -> None:
    """Leave one organisation's application on the counter."""
    at = stage.moment(stage.today - timedelta(days=2))
    told = stage.cast.applicant
    journeys.apply_for_organisation(
        actor=stage.citizen(1, at),
        at=at,
        facts=OrganisationFacts(
            kind=OrganisationKind(told.kind),
            name=told.name,
            name_en=told.name_en,
            uscc=complete_uscc(*told.uscc_stem),
            area=told.area,
            contract_number=told.contract_number,
            contract_from=stage.today,
            contract_to=stage.today + timedelta(days=CONTRACT_DAYS),
            people=(
                AuthorisedPerson(
                    name=told.person,
                    phone=told.phone,
                    username=told.username,
                    roles=tuple(Role(role) for role in told.roles),
                ),
            ),
        ),
        licence_name="证照（演示）.pdf",
        licence=_scan("证照 / certificate"),
        authorisation_name="授权书（演示）.pdf",
        authorisation=_scan("授权书 / authorisation"),
        idempotency_key=stage.key("application"),
    )


def _scan(title: str) -> bytes:
    """Return a PDF that says what would have been scanned; the same bytes each time, so that the act repeats."""
    compiler = typst.Compiler(
        input=Path(__file__).with_name("scan.typ"),
        font_paths=[fonts_folder()],
        ignore_system_fonts=True,
        sys_inputs={"title": title},
    )
    pdf = compiler.compile(format="pdf")
    if not isinstance(pdf, bytes):
        message = "the typesetter gave more than one page"
        raise TypeError(message)
    return pdf


def sequence_log(stage: Stage) -> None:
    """Have the log sign a head over what happened so far."""
    sequence_leaves(at=stage.moment(stage.today, 0))
