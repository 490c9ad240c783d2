"""A case before the public, and the people who speak to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from django.db import transaction
from tests.integration.foundation.workflow.conftest import Province

from tanpuhui.foundation.identity.operations import register_citizen
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import (
    NewFile,
    answer_comment,
    comment_on_notice,
    decide,
    withdraw_comment,
)
from tanpuhui.foundation.workflow.queries import NoticeView

E = TypeVar("E", bound=Exception)
PDF = b"%PDF-1.7 made up"
FIRST_DAY = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
LAST_MOMENT = datetime(2026, 11, 28, 15, 59, 59, tzinfo=UTC)
"""The fifth working day after 20 November ends so in China: the 23rd is off, Saturday the 28th is worked."""

DAY_AFTER = datetime(2026, 11, 28, 16, 0, tzinfo=UTC)


@contextmanager
def refused(kind: type[E]) -> Iterator[pytest.ExceptionInfo[E]]:
    """Expect a refusal, and undo what was written before it, as the operation's own transaction does."""
    point = transaction.savepoint()
    with pytest.raises(kind) as found:
        yield found
    transaction.savepoint_rollback(point)


def announced(province: Province, *, subject_id: str = "1", at: datetime = FIRST_DAY) -> NoticeView:
    """Open a case and put it to public notice for the five working days of the rule."""
    case_id = province.open("public_admission", subject_id=subject_id).case_id
    decide(
        actor=province.actor(Role.MAKER),
        at=at,
        idempotency_key=None,
        case_id=case_id,
        outcome="announce",
        opinion="材料齐全，予以公示",
    )
    return queries.notices_of(case_id, at=at)[0]


def citizen(province: Province, number: int = 1) -> Actor:
    """Register a citizen with a verified phone."""
    user_id = register_citizen(
        actor=SYSTEM,
        at=province.at,
        phone=f"1380000{number:04d}",
        display_name=f"小{number}",
        area=province.area,
    ).user_id
    return actor_of(user_id=user_id, at=province.at)


def object_to(
    view: NoticeView,
    actor: Actor,
    *,
    at: datetime = FIRST_DAY,
    text: str = "基准线取值偏高。",
    objection: bool = True,
    name: str = "李明",
    name_public: bool = False,
    files: Sequence[NewFile] = (),
) -> int:
    """Object to a notice and return the comment's identifier."""
    return comment_on_notice(
        actor=actor,
        at=at,
        idempotency_key=None,
        notice_id=view.notice_id,
        name=name,
        text=text,
        objection=objection,
        name_public=name_public,
        files=files,
    ).comment_id


def answer(
    province: Province,
    comment_id: int,
    *,
    upheld: bool | None,
    at: datetime = FIRST_DAY,
    text: str = "已核实。",
) -> None:
    """Answer a comment as the maker."""
    answer_comment(
        actor=province.actor(Role.MAKER),
        at=at,
        idempotency_key=None,
        comment_id=comment_id,
        text=text,
        upheld=upheld,
    )


def withdraw(comment_id: int, actor: Actor, *, at: datetime = FIRST_DAY) -> None:
    """Take back a comment."""
    withdraw_comment(actor=actor, at=at, idempotency_key=None, comment_id=comment_id)
