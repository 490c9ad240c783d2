"""A balance that is accepted twice at once, declined meanwhile, or accepted while it lapses has one effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.city_programme import Programme, member, open_programme
from tests.concurrency.conftest import CommittedDatabase

from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.behaviour.carbon_accounts.models import CarbonAccount, ProgrammeAdmission
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.config.wiring import install
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import business_day

pytestmark = pytest.mark.concurrency
FIRST = member(1, phone="13900000000", points="100")
NEW = member(9, phone="13900000009", points="60")


@pytest.fixture
def programme(
    committed_database: CommittedDatabase,
    now: datetime,
    invented_jurisdiction: Path,
    settings: Settings,
    tmp_path: Path,
) -> Programme:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    install()
    return open_programme(at=now, folder=invented_jurisdiction)


def names(results: object) -> list[str]:
    return sorted(type(result).__name__ for result in results)  # type: ignore[attr-defined]


def sound() -> bool:
    return [*queries.breaches(), *ledger.breaches()] == []


def test_accepted_by_several_requests_at_once_it_is_credited_once(
    committed_database: CommittedDatabase, programme: Programme
) -> None:
    admission_id = programme.admit(FIRST, NEW)
    newcomer = programme.newcomer()
    results = committed_database.run_together(
        *[lambda n=n: programme.claim(admission_id, key=f"a{n}") for n in range(3)],
        *[lambda n=n: programme.claim(admission_id, person=newcomer, key=f"b{n}") for n in range(3)],
    )
    assert names(results) == ["AdmissionClaimed"] * 2 + ["NothingToClaim"] * 4
    assert ledger.balance(programme.market.accounts[0]).points.value == 250 + 50
    opened = CarbonAccount.objects.get(user_id=int(newcomer.id))
    assert ledger.balance(opened.ledger_account_id).points.value == 30
    assert sound()


def test_accepted_and_declined_at_once_one_of_them_holds(
    committed_database: CommittedDatabase, programme: Programme
) -> None:
    admission_id = programme.admit(FIRST)
    results = committed_database.run_together(
        lambda: programme.claim(admission_id), lambda: programme.decline(admission_id)
    )
    done = results[0]
    assert (names(results) == ["AdmissionClaimed", "NothingToClaim"]) or (
        done.__class__.__name__ == "NothingToClaim" and results[1] is None
    )
    claimed = isinstance(done, operations.AdmissionClaimed)
    assert ledger.balance(programme.market.accounts[0]).points.value == 250 + 50 * claimed
    assert sound()


@pytest.mark.parametrize("attempt", range(3))
def test_accepted_while_it_lapses_it_is_credited_or_gone_and_never_both(
    committed_database: CommittedDatabase, programme: Programme, attempt: int
) -> None:
    admission_id = programme.admit(FIRST, NEW)
    ProgrammeAdmission.objects.filter(pk=admission_id).update(claim_until=business_day(programme.at))
    late = programme.at + timedelta(days=1)
    results = committed_database.run_together(
        lambda: programme.claim(admission_id, key=f"c{attempt}"),
        lambda: operations.end_admissions(actor=SYSTEM, at=late),
        lambda: operations.end_admissions(actor=SYSTEM, at=late + timedelta(seconds=1)),
    )
    done, *ended = results
    claimed = isinstance(done, operations.AdmissionClaimed)
    assert claimed or isinstance(done, operations.NothingToClaim), done
    assert all(isinstance(one, operations.AdmissionsEnded) for one in ended), ended
    operations.end_admissions(actor=SYSTEM, at=late + timedelta(days=1))
    view = queries.admission(admission_id)
    assert (view.of("claimed").count, view.of("lapsed").count) == (claimed, 2 - claimed)
    assert ledger.balance(programme.market.accounts[0]).points.value == 250 + 50 * claimed
    assert ledger.system_total("points:admission_funding").points.value == -50 * claimed
    assert sound()


def test_the_same_file_sent_twice_at_once_is_one_admission(
    committed_database: CommittedDatabase, programme: Programme
) -> None:
    results = committed_database.run_together(
        *[lambda n=n: programme.send(FIRST, NEW, key=f"s{n}") for n in range(3)]
    )
    assert len(set(results)) == 1, results
    assert sound()
