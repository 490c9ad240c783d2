"""Tell of what was said to a notice (公示消息): those in charge of an objection, and whoever commented of the answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.messages.operations import tell
from tanpuhui.foundation.workflow.operations._tell import CaseTold
from tanpuhui.foundation.workflow.queries import comment, notice


class NoticeNews(StrEnum):
    """The wordings of notices; every jurisdiction's messages folder has them."""

    OBJECTION = "notice.objection"
    ANSWERED = "notice.answered"


@operation(roles={Role.SYSTEM}, subject="case:{case_id}")
def tell_of_objection(*, actor: Actor, at: datetime, comment_id: int) -> CaseTold:
    """Tell those who answer a notice of an objection that waits; a remark, or one settled since, is not told of.

    No word of the objection and no name stands in the message. Raises NotFound, TemplateUnknown.
    """
    found = comment(comment_id)
    view = notice(found.notice_id, at=at)
    if not found.objection or found.answer is not None or found.withdrawn_at is not None:
        return CaseTold(case_id=view.case_id, told=0)
    in_charge: set[int] = set()
    for role in sorted(view.answering_roles):
        in_charge |= set(identity.users_with_role(role=role.value, area=view.area, at=at))
    told = tell(
        at=at,
        user_ids=in_charge - {found.user_id},
        template=NoticeNews.OBJECTION,
        data={
            "case_id": view.case_id,
            "number": view.number,
            "title": view.title,
            "last_day": view.last_day.isoformat(),
        },
        event=f"comment:{comment_id}:objection",
    )
    return CaseTold(case_id=view.case_id, told=len(told.user_ids))


@operation(roles={Role.SYSTEM}, subject="case:{case_id}")
def tell_of_answer(*, actor: Actor, at: datetime, comment_id: int) -> CaseTold:
    """Tell whoever commented that the answer is public. Raises NotFound, TemplateUnknown."""
    found = comment(comment_id)
    if found.answer is None:
        return CaseTold(case_id=found.case_id, told=0)
    told = tell(
        at=at,
        user_ids=(found.user_id,),
        template=NoticeNews.ANSWERED,
        data={"notice_id": found.notice_id, "title": found.notice_title},
        event=f"comment:{comment_id}:answered",
    )
    return CaseTold(case_id=found.case_id, told=len(told.user_ids))
