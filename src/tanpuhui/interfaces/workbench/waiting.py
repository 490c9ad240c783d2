"""What waits for an actor (待办): cases that they can move, units offered to them, objections to answer, an expert's reviews."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.credits.registry.queries import TransferView, offers_to
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import NoticeView
from tanpuhui.interfaces.workbench.routes import HOLDERS
from tanpuhui.science.methodology.queries import ExpertTask, expert_of, tasks_of_expert

ANSWERS_MAX = 200


def offers_waiting(actor: Actor) -> tuple[TransferView, ...]:
    """Return the transfers that the actor's organisation may accept or decline, oldest first."""
    organisation_ids = actor.organisation_ids(*HOLDERS)
    return offers_to(organisation_ids=organisation_ids) if organisation_ids else ()


def answers_waiting(actor: Actor, at: datetime) -> tuple[NoticeView, ...]:
    """Return the notices with an objection that the actor may answer, by their last day."""
    return workflow.notices_waiting(actor, at=at, limit=ANSWERS_MAX)


def reviews_waiting(actor: Actor) -> tuple[ExpertTask, ...]:
    """Return what a panel waits for from the actor, if they are an expert of the pool: declare, review, vote or sign."""
    number = expert_of(actor) if actor.has(Role.EXPERT) else None
    return tasks_of_expert(number) if number is not None else ()


def count_waiting(actor: Actor, at: datetime) -> int:
    """Return how many lines the inbox has."""
    return (
        workflow.count_inbox(actor)
        + len(offers_waiting(actor))
        + len(answers_waiting(actor, at))
        + len(reviews_waiting(actor))
    )
