"""What the public reads of a filing under its notice: the version itself, and how it was reviewed."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext

from tanpuhui.foundation.workflow.queries import NoticeView
from tanpuhui.interfaces.design.parts import Crumb, Fact
from tanpuhui.interfaces.portal.navigation import worded
from tanpuhui.interfaces.portal.notice_part import NoticePart
from tanpuhui.interfaces.portal.review_words import conclusion_name
from tanpuhui.science.methodology import queries as methodology


def filing_part(view: NoticeView) -> NoticePart:
    """Return the methodology that is to be filed, with the ways to its text and to the record of its review."""
    found = methodology.filing(int(view.subject_id))
    version = methodology.version(found.version_id)
    panel = methodology.panel_of_case(view.case_id)
    meeting = methodology.signed_meeting(panel.panel_id, version_id=version.id) if panel is not None else None
    facts = [
        Fact(
            gettext("方法学"), f"{version.code} {worded(version.name_zh, version.name_en)} {version.version}"
        ),
        Fact(gettext("归档指纹"), version.archive_sha256, mono=True),
    ]
    where = [version.code, version.version]
    links = [Crumb(gettext("全文、取值、出处和算例"), reverse("portal:methodology", args=where))]
    if meeting is not None:
        facts.append(Fact(gettext("评审会结论"), conclusion_name(meeting.conclusion)))
        links.append(
            Crumb(gettext("抽取、回避、表决和保留意见"), reverse("portal:methodology-review", args=where))
        )
    return NoticePart(facts=tuple(facts), links=tuple(links))


def version_part(view: NoticeView) -> NoticePart:
    """Return the version that a filing without committee is about."""
    version = methodology.version(int(view.subject_id))
    named = f"{version.code} {worded(version.name_zh, version.name_en)} {version.version}"
    facts = (Fact(gettext("方法学"), named), Fact(gettext("归档指纹"), version.archive_sha256, mono=True))
    way = reverse("portal:methodology", args=[version.code, version.version])
    return NoticePart(facts=facts, links=(Crumb(gettext("全文、取值、出处和算例"), way),))
