"""What the pages of a draft share: its title and tabs, the file that is open, and what checking it found."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.interfaces.design.figures import MINUS
from tanpuhui.interfaces.design.parts import Crumb, Tab
from tanpuhui.interfaces.design.science import listed, locale, mathematics, outcome_texts, said
from tanpuhui.science.engine import MethodologyError, MethodologyVersion
from tanpuhui.science.engine.authoring import PARAMETER_SET_FILE, FolderChecked, check_folder
from tanpuhui.science.engine.cases import CaseOutcome
from tanpuhui.science.engine.checked import Checked
from tanpuhui.science.engine.mathml import formula_mathml
from tanpuhui.science.engine.notation import named_items, number_text
from tanpuhui.science.engine.unpack import MAIN_FILE
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import DraftFiles, DraftView, VersionView

CHECK_SECONDS = 5.0
ORDER = (MAIN_FILE, "cases.yaml", "text.zh.md", "text.en.md")


def draft_state(state: str) -> tuple[str, str]:
    """Return tone and words of a draft's state."""
    return {
        "open": ("wait", gettext("编写中")),
        "proposed": ("ok", gettext("已提出备案")),
        "closed": ("", gettext("已放弃")),
    }.get(state, ("", state))


def title_of(view: DraftView, version: MethodologyVersion | None = None) -> str:
    """Name a draft by what it says of itself, else by its number."""
    found = version or check_folder(methodology.draft_files(view.id).files, cases=False).version
    if found is None:
        return gettext("草稿 %(n)s") % {"n": view.id}
    return f"{found.code} {said(found.name)} {found.version}"


def tabs_of(view: DraftView, active: str) -> list[Tab]:
    """Return the pages of a draft as tabs."""
    pages = (
        ("draft", gettext("编写")),
        ("draft-trial", gettext("试算")),
        ("draft-difference", gettext("与上一版比较")),
        ("draft-propose", gettext("提出备案")),
    )
    return [
        Tab(label, reverse(f"workbench:{name}", args=[view.id]), active=name == active)
        for name, label in pages
    ]


def crumbs_of(view: DraftView, title: str, here: str = "") -> tuple[Crumb, ...]:
    """Return where one is: the drafts, this draft, and the page of it."""
    first = Crumb(gettext("方法学草稿"), reverse("workbench:drafts"))
    if not here:
        return first, Crumb(title)
    return first, Crumb(title, reverse("workbench:draft", args=[view.id])), Crumb(here)


def file_tabs(view: DraftView, held: DraftFiles, path: str) -> list[Tab]:
    """Return the files of a draft as tabs, the main file first; the parameter set is always offered."""
    known = [one for one in ORDER if one in held.files]
    known += sorted(one for one in held.files if one not in ORDER)
    base = reverse("workbench:draft", args=[view.id])
    return [
        Tab(one, f"{base}?{urlencode({'file': one})}", active=one == path)
        for one in [*known, PARAMETER_SET_FILE]
    ]


def path_of(request: HttpRequest, held: DraftFiles) -> str:
    """Return the file that is meant; the main file where none or an unknown one is named."""
    asked = request.POST.get("file") or request.GET.get("file") or MAIN_FILE
    return asked if asked in held.files or asked == PARAMETER_SET_FILE else MAIN_FILE


def text_at(held: DraftFiles, path: str) -> str:
    """Return a file's text; what is no UTF-8 is shown as good as it can be, and the check says so."""
    content = held.parameter_set if path == PARAMETER_SET_FILE else held.files.get(path)
    return (content or b"").decode("utf-8", errors="replace")


def with_text(held: DraftFiles, path: str, text: str) -> DraftFiles:
    """Return what a draft would hold with this text in one file."""
    content = text.replace("\r\n", "\n").encode()
    if path == PARAMETER_SET_FILE:
        return DraftFiles(files=held.files, parameter_set=content if content.strip() else None)
    return DraftFiles(files={**held.files, path: content}, parameter_set=held.parameter_set)


def revision_of(request: HttpRequest) -> int:
    """Return the revision that the page showed. Raises Invalid where the form brought none."""
    text = request.POST.get("revision", "")
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(field="revision", why="表单不完整，请重新打开页面 / reopen the page")
    return int(text)


def version_before(view: DraftView, version: MethodologyVersion | None) -> VersionView | None:
    """Return the version that a draft revises: the one it began with, else the newest filed one of its code."""
    if view.based_on_id is not None:
        return methodology.version(view.based_on_id)
    if version is None:
        return None
    others = [one for one in methodology.versions_of(version.code) if one.id != view.version_id]
    return next((one for one in others if one.state == "filed"), others[0] if others else None)


def checked(view: DraftView, held: DraftFiles, path: str) -> dict[str, Any]:
    """Return what the check of a draft found, as the page shows it beside the text."""
    found = check_folder(held.files, parameter_set=held.parameter_set, enough=patience())
    version = found.version
    context: dict[str, Any] = {
        "draft": view,
        "faults": [_fault(one, path) for one in found.faults],
        "sound": found.sound,
        "version": version,
    }
    if version is not None:
        context |= {
            "variants": [(said(one.name), _lines(version, one.code)) for one in version.variants],
            "blocked": listed(_names(version, version.blocked_by)),
            "waiting": sum(table.waiting for table in version.tables),
            "agreeing": sum(one.passed for one in found.outcomes),
            "cases": len(found.outcomes) + found.unfinished,
            "unfinished": found.unfinished,
            "failing": [_failing(one) for one in found.outcomes if not one.passed],
        }
    return context


def patience() -> Callable[[], bool]:
    """Return what says when a check has run long enough: an author waits, and other people's requests do too."""
    end = time.monotonic() + CHECK_SECONDS
    return lambda: time.monotonic() > end


def hindrances(found: FolderChecked) -> list[str]:
    """Say what keeps a draft from being proposed; empty when nothing does."""
    said_so = [one.message(locale()) for one in found.faults]
    if found.version is not None and found.version.blocked_by:
        names = listed(_names(found.version, found.version.blocked_by))
        said_so.append(
            gettext("没有一种算法能算，缺少取值：%(names)s。请在 parameter_set.yaml 里给出。")
            % {"names": names}
        )
    if found.version is not None and _filed_already(found.version):
        said_so.append(
            gettext("%(code)s %(version)s 已经备案。备案的版本不再改动，请换一个版本号。")
            % {"code": found.version.code, "version": found.version.version}
        )
    failing = [one.case.code for one in found.outcomes if not one.passed]
    if failing:
        said_so.append(gettext("算例与引擎的结果不一致：%(codes)s") % {"codes": listed(failing)})
    if found.unfinished:
        said_so.append(gettext("算例太多，没有在限定的时间内算完。请减少算例里的参数集。"))
    elif found.version is not None and not found.outcomes and not found.faults:
        said_so.append(gettext("还没有算例。请在 cases.yaml 里至少写一个。"))
    return said_so


def _filed_already(version: MethodologyVersion) -> bool:
    """Say whether this version number of the methodology is filed."""
    return any(
        view.version == version.version and view.state == "filed"
        for view in methodology.versions_of(version.code)
    )


def text_difference(before: str, after: str) -> list[tuple[str, str]]:
    """Return the lines in which two texts differ, as (kind, line); kind is del, ins or empty."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    kinds = {"-": "del", "+": "ins"}
    return [(kinds.get(line[:1], ""), line) for line in lines if not line.startswith(("---", "+++"))]


def _fault(one: MethodologyError, path: str) -> dict[str, Any]:
    data = one.data
    return {
        "problem": one.problem,
        "file": one.file,
        "here": one.file == path,
        "line": one.line,
        "column": one.column,
        "sentence": data["en"] if locale() == "en" else data["zh"],
        "caret": one.caret,
    }


def _lines(version: MethodologyVersion, code: str) -> list[dict[str, Any]]:
    """Return the formulas of a variant with unit and digits, and what of them is unset."""
    variant = version.variant(code)
    return [
        {
            "name": said(formula.name),
            "math": mathematics(formula_mathml(version, variant, formula, locale=locale())),
            "unit": formula.unit.shown(locale()) or "1",
            "digits": _digits(formula.checked),
            "unset": listed(_names(version, formula.checked.unset)),
        }
        for formula in variant.formulas
    ]


def _digits(one: Checked) -> str:
    if one.digits is None:
        return ""
    return gettext("%(low)s – %(high)s，%(places)s 位小数") % {
        "low": signed(one.digits.low),
        "high": signed(one.digits.high),
        "places": one.digits.places,
    }


def signed(value: Decimal) -> str:
    """Write a number with a real minus sign."""
    return number_text(value).replace("-", MINUS)


def _names(version: MethodologyVersion, codes: Sequence[str]) -> list[str]:
    names = {item.code: said(item.name) for item in named_items(version, None)}
    return [names.get(code, code) for code in codes]


def _failing(one: CaseOutcome) -> dict[str, str]:
    expected, found = outcome_texts(one)
    return {"code": one.case.code, "name": said(one.case.name), "expected": expected, "found": found}
