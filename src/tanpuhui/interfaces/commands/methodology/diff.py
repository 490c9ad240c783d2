"""`diff OLD NEW`: what distinguishes two versions."""

from __future__ import annotations

import argparse
import json

from tanpuhui.interfaces.commands.methodology.folders import load
from tanpuhui.interfaces.commands.methodology.sentences import printable
from tanpuhui.science.engine import Change, MethodologyVersion, difference, difference_text
from tanpuhui.science.engine.model import Words

SAME, DIFFERENT = 0, 1


def run(options: argparse.Namespace) -> int:
    """Print the difference; 0 when there is none."""
    old, new = load(options.old, options.parameters), load(options.new, options.parameters)
    changes = difference(old, new)
    if options.format == "json":
        print(json.dumps(_plain(old, new, changes), ensure_ascii=False, indent=2))
    else:
        for sign, version in (("−", old), ("+", new)):
            title = version.title.text(options.lang)
            print(printable(f"{sign} {version.code} {title}  {version.archive_sha256[:16]}"))
        print("\n".join(map(printable, difference_text(changes, locale=options.lang).splitlines())))
    return DIFFERENT if changes else SAME


def _plain(
    old: MethodologyVersion, new: MethodologyVersion, changes: tuple[Change, ...]
) -> dict[str, object]:
    return {
        **{
            side: {"code": it.code, "version": it.version, "archive_sha256": it.archive_sha256}
            for side, it in (("old", old), ("new", new))
        },
        "changes": [
            {
                "kind": change.kind,
                "where": change.where,
                "changes_result": change.changes_result,
                "name": _both(change.name),
                "old": _both(change.old),
                "new": _both(change.new),
                "note": _both(change.note),
            }
            for change in changes
        ],
    }


def _both(words: Words | None) -> dict[str, str] | None:
    return None if words is None else {"zh": words.zh, "en": words.en}
