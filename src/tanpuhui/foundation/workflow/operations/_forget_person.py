"""Take the name of who closed their account off what they said to notices (意见去名): a step of the closure."""

from __future__ import annotations

from tanpuhui.foundation.kernel.actors import CLOSED_NAME
from tanpuhui.foundation.workflow.models import CaseSubscription, NoticeComment, SavedFilter


def forget_commenter(user_id: int) -> int:
    """Replace the person's name on their comments, drop what they follow, and return how many comments there were.

    What was said, its files and its answer are part of a public act and stay. A building block, after the person was
    forgotten: the database lets the name go only then.
    """
    CaseSubscription.objects.filter(user_id=user_id).delete()
    SavedFilter.objects.filter(user_id=user_id).delete()
    return NoticeComment.objects.filter(user_id=user_id).exclude(name=CLOSED_NAME).update(name=CLOSED_NAME)
