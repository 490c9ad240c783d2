"""`tanpuhui load-jurisdiction`: 装入辖区资料中新增的部分 / load what the jurisdiction's folder has and the database has not.

Wordings of messages and of consents first, then names, regions, holidays, processes and rules of the base pack: run it after an update of the folder, on
a province that was set up before. What is in force is never changed in place: files that change it are refused whole, and what
comes after them is not loaded. Running it again does no harm. Exit status: 0 loaded or nothing new, 2 refused.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from tanpuhui.foundation.identity.operations import load_consent_texts
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

DONE, REFUSED = 0, 2


def main(arguments: Sequence[str]) -> int:
    """Load the folder of the settings and print how much of it was new."""
    parser = argparse.ArgumentParser(prog="tanpuhui load-jurisdiction", description=__doc__)
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    given = parser.parse_args(arguments)
    folder, at = Path(settings.TANPUHUI_JURISDICTION_DIR), timezone.now()
    try:
        wordings = load_templates(actor=SYSTEM, at=at, folder=folder)
        consents = load_consent_texts(actor=SYSTEM, at=at, folder=folder)
        rules = load_jurisdiction(actor=SYSTEM, at=at, folder=folder)
    except Refusal as refusal:
        print(refusal.message(given.lang), file=sys.stderr)
        return REFUSED
    if given.lang == "en":
        said = "New: {regions} regions, {holidays} holidays, {parameters} rules, {processes} process versions, {wordings} wordings, {consents} consent texts."
    else:
        said = "新增：区划 {regions}，节假日 {holidays}，规则 {parameters}，流程版本 {processes}，消息措辞 {wordings}，同意文本 {consents}。"
    print(
        said.format(
            regions=rules.regions,
            holidays=rules.holidays,
            parameters=rules.parameters,
            processes=rules.process_versions,
            wordings=wordings.templates,
            consents=consents.texts,
        )
    )
    return DONE
