"""Comments, answers and the end of a notice at one moment, on committed transactions: nothing is lost or passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.foundation.workflow.made_up_province import write_province

from tanpuhui.config.wiring import SUBSCRIBERS
from tanpuhui.foundation.identity.operations import register_citizen
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import CommentAnswer, NoticeComment
from tanpuhui.foundation.workflow.operations import (
    NO_EFFECT,
    AnswerEntered,
    CommentAnswered,
    CommentEntered,
    NoticeOver,
    TooManyComments,
    answer_comment,
    comment_on_notice,
    decide,
    end_notices,
    install_effects,
    installed_effects,
    open_case,
)

pytestmark = [pytest.mark.concurrency, pytest.mark.usefixtures("province")]

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
LAST_MOMENT = datetime(2026, 11, 28, 15, 59, 59, tzinfo=UTC)
DAY_AFTER = datetime(2026, 11, 28, 16, 0, tzinfo=UTC)
MAKER = Actor(kind="user", id="900", grants=(Grant(role=Role.MAKER, area="990000"),))


@pytest.fixture
def province(committed_database: CommittedDatabase, settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.TANPUHUI_JURISDICTION_DIR = write_province(tmp_path / "made-up")
    load_jurisdiction(actor=SYSTEM, at=AT, folder=settings.TANPUHUI_JURISDICTION_DIR)
    before = installed_effects()
    install_subscribers(dict.fromkeys(SUBSCRIBERS, ()))
    install_effects({("thing", outcome): NO_EFFECT for outcome in ("announce", "admit", "return", "refuse")})
    yield
    install_effects(before)


def announced(subject_id: str) -> queries.NoticeView:
    case_id = open_case(
        actor=SYSTEM, at=AT, process="public_admission", subject_type="thing", subject_id=subject_id, title="一件事",
        area="990000",
    ).case_id  # fmt: skip
    decide(actor=MAKER, at=AT, idempotency_key=None, case_id=case_id, outcome="announce", opinion="公示")
    return queries.notices_of(case_id, at=AT)[0]


def citizen(number: int) -> Actor:
    user_id = register_citizen(
        actor=SYSTEM, at=AT, phone=f"1380000{number:04d}", display_name="某人", area="990000"
    ).user_id
    return actor_of(user_id=user_id, at=AT)


def objecting(view: queries.NoticeView, actor: Actor, *, at: datetime) -> Callable[[], object]:
    return lambda: comment_on_notice(
        actor=actor, at=at, idempotency_key=None, notice_id=view.notice_id, name="李明", text="有异议",
        objection=True,
    )  # fmt: skip


def test_an_objection_of_the_last_second_is_in_and_the_case_waits_or_it_is_told_that_it_came_too_late(
    committed_database: CommittedDatabase,
) -> None:
    outcomes = set()
    for turn in range(6):
        view = announced(str(turn))
        said, moved = committed_database.run_together(
            objecting(view, citizen(turn), at=LAST_MOMENT), lambda: end_notices(at=DAY_AFTER)
        )
        state = queries.case(view.case_id).state
        if isinstance(said, CommentEntered):
            assert (state, moved) == ("notice", ())
        else:
            assert isinstance(said, NoticeOver), said
            assert (state, moved) == ("admitted", (view.case_id,))
        outcomes.add(state)
        decided = NoticeComment.objects.filter(notice_id=view.notice_id).count()
        assert decided == (state == "notice")
        if state == "notice":
            decide(
                actor=MAKER,
                at=DAY_AFTER,
                idempotency_key=None,
                case_id=view.case_id,
                outcome="return",
                opinion="退回",
            )
    assert outcomes
    assert list(queries.breaches()) == []


def test_of_two_answers_at_once_one_stands_and_the_other_keeps_its_words(
    committed_database: CommittedDatabase,
) -> None:
    view = announced("1")
    comment_id = NoticeComment.objects.get(
        pk=objecting(view, citizen(1), at=AT)().comment_id  # type: ignore[attr-defined]
    ).pk

    def answering(text: str, *, upheld: bool) -> Callable[[], object]:
        return lambda: answer_comment(
            actor=MAKER, at=AT, idempotency_key=None, comment_id=comment_id, text=text, upheld=upheld
        )

    found = committed_database.run_together(answering("甲", upheld=True), answering("乙", upheld=False))
    (stands,) = [one for one in found if isinstance(one, AnswerEntered)]
    (kept,) = [one for one in found if isinstance(one, CommentAnswered)]
    row = CommentAnswer.objects.get()
    assert row.upheld == stands.upheld
    assert {row.text, kept.data["text"]} == {"甲", "乙"}


def test_an_answer_that_upholds_and_the_end_at_one_moment_never_pass_each_other(
    committed_database: CommittedDatabase,
) -> None:
    view = announced("1")
    comment_id = objecting(view, citizen(1), at=AT)().comment_id  # type: ignore[attr-defined]
    committed_database.run_together(
        lambda: answer_comment(
            actor=MAKER, at=DAY_AFTER, idempotency_key=None, comment_id=comment_id, text="成立", upheld=True
        ),
        lambda: end_notices(at=DAY_AFTER),
        lambda: end_notices(at=DAY_AFTER),
    )
    assert queries.case(view.case_id).state == "notice"
    assert list(queries.breaches()) == []


def test_many_comments_of_one_person_at_once_keep_to_the_limit(committed_database: CommittedDatabase) -> None:
    view, person = announced("1"), citizen(1)
    found = committed_database.run_together(*(objecting(view, person, at=AT) for _ in range(6)))
    assert sum(isinstance(one, CommentEntered) for one in found) == 3
    assert sum(isinstance(one, TooManyComments) for one in found) == 3


def test_two_workers_end_a_notice_once(committed_database: CommittedDatabase) -> None:
    view = announced("1")
    found = committed_database.run_together(
        lambda: end_notices(at=DAY_AFTER), lambda: end_notices(at=DAY_AFTER)
    )
    assert (view.case_id,) in found
    assert queries.case(view.case_id).step == 2
