"""Reads the messages/ folder of a jurisdiction: files that each hold the wordings of one kind from one day on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tanpuhui.foundation.messages.domain import Audience, KindRow, Offer, TemplateRow, fields_in
from tanpuhui.foundation.rulebook.queries import Placed, read_yaml

OFFERS = tuple(offer.value for offer in Offer)
AUDIENCES = tuple(audience.value for audience in Audience)


def read_templates(folder: Path) -> tuple[TemplateRow, ...]:
    """Read every file of messages/; a key has one wording for each day it begins on. Raises JurisdictionInvalid."""
    rows: dict[tuple[str, date], TemplateRow] = {}
    for path in sorted((folder / "messages").glob("*.yaml")):
        top = read_yaml(path).fields(
            required=("kind", "label_zh", "label_en", "audience", "mail", "sms", "valid_from", "messages")
        )
        kind = KindRow(
            kind=top["kind"].text(),
            label_zh=top["label_zh"].text(),
            label_en=top["label_en"].text(),
            audience=Audience(top["audience"].one_of(AUDIENCES)),
            mail=Offer(top["mail"].one_of(OFFERS)),
            sms=Offer(top["sms"].one_of(OFFERS)),
            valid_from=top["valid_from"].day(),
        )
        for item in top["messages"].items():
            row = _template(item, kind=kind)
            if (row.key, kind.valid_from) in rows:
                raise item.refuse(f"{row.key} of {kind.valid_from} stands twice")
            rows[row.key, kind.valid_from] = row
    return tuple(rows.values())


def _template(item: Placed, *, kind: KindRow) -> TemplateRow:
    optional = () if kind.sms == Offer.NEVER else ("sms",)
    given = item.fields(required=("key", "fields", "link", "title", "body", *optional))
    title = given["title"].fields(required=("zh", "en"))
    body = given["body"].fields(required=("zh", "en"))
    row = TemplateRow(
        key=given["key"].text(),
        kind=kind,
        fields=tuple(field.text() for field in given["fields"].items()),
        title_zh=title["zh"].text(),
        title_en=title["en"].text(),
        body_zh=body["zh"].text().strip(),
        body_en=body["en"].text().strip(),
        sms_zh=given["sms"].fields(required=("zh",))["zh"].text() if optional else "",
        link=given["link"].text(),
    )
    if not row.link.startswith("/") or row.link.startswith("//"):
        raise given["link"].refuse("a link begins with one slash: it leads to a page of this platform")
    try:
        used = frozenset[str]().union(*(fields_in(text) for text in row.texts))
    except ValueError as error:
        raise item.refuse(str(error)) from error
    if used != set(row.fields):
        differing = ", ".join(sorted(used ^ set(row.fields)))
        raise given["fields"].refuse(f"fields and texts do not name the same: {differing}")
    return row
