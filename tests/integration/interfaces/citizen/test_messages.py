"""A citizen reads what they were told, and says what may also come as a text message."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from tests.integration.interfaces.citizen.conftest import Place

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.messages import queries
from tanpuhui.foundation.messages.models import Message
from tanpuhui.foundation.messages.operations import load_templates, tell


def told(place: Place, *subjects: str) -> None:
    load_templates(actor=SYSTEM, at=place.now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    with transaction.atomic():
        tell(
            at=place.now,
            user_ids=[place.town.users[subject] for subject in subjects],
            template="notice.answered",
            data={"notice_id": 7, "title": "公交 <新> 方法学"},
            event="comment:1",
        )


def test_the_own_page_counts_and_the_list_shows_what_is_unread(place: Place) -> None:
    assert "还没有消息。" in place.client().get("/m/messages").content.decode()
    told(place, "S1")
    assert 'class="num">1</b>' in place.client().get("/m/me").content.decode()
    page = place.client().get("/m/messages").content.decode()
    assert "公交 &lt;新&gt; 方法学" in page
    assert "未读" in page


def test_opening_a_message_reads_it_and_leads_on_and_others_are_missing(place: Place) -> None:
    told(place, "S1", "S2")
    own = Message.objects.get(user_id=place.town.users["S1"])
    other = Message.objects.get(user_id=place.town.users["S2"])
    answer = place.client().post("/m/messages", {"open": own.pk})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/notices/7#answers")
    assert queries.unread(place.town.users["S1"]) == 0
    for wrong in (other.pk, "x", ""):
        assert place.client().post("/m/messages", {"open": wrong}).status_code == 404
    assert queries.unread(place.town.users["S2"]) == 1


def test_a_text_message_can_be_declined_and_asked_for_again(place: Place) -> None:
    told(place, "S1")
    page = place.client().get("/m/messages").content.decode()
    assert 'value="notice_answer" checked' in page
    assert "case_deadline" not in page, "what concerns offices is not offered to citizens"
    assert place.client().post("/m/messages", {}).status_code == 303
    assert 'value="notice_answer">' in place.client().get("/m/messages").content.decode()
    place.client().post("/m/messages", {"sms": "notice_answer"})
    assert 'value="notice_answer" checked' in place.client().get("/m/messages").content.decode()
