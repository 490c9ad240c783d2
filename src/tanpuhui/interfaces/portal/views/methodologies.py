"""The library of methodologies: what stands in it, what of it calculates, and what waits for which value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design.parts import Tab
from tanpuhui.interfaces.design.science import class_text, listed, said, status_text
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.interfaces.portal.review_words import standing_words
from tanpuhui.science.engine.standing import Standing, standing
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import VersionView

HIDDEN = frozenset({"returned", "rejected", "replaced", "withdrawn"})
"""States in which a version is its proposer's affair; all others are public, each with its state in words."""

CLASSES = ("SCENARIO", "PROJECT", "EVENT", "POINTS")
STATUSES = ("EXACT", "FORM", "DESIGN", "POINTS")
RUNS = ("all", "part", "none")
SEARCH_LENGTH_MAX = 60


def state_text(state: str) -> tuple[str, str]:
    """Return tone and words of a version's state."""
    words = {
        "filed": ("ok", gettext("已备案")),
        "reviewed": ("wait", gettext("已评审，待备案")),
        "proposed": ("wait", gettext("评审中")),
        "draft": ("", gettext("草案，不能核算")),
    }
    return words.get(state, ("", state))


def standing_text(view: VersionView) -> tuple[str, str]:
    """Return tone and words of a version's state today: a filed one may be suspended, superseded or repealed."""
    if view.state != "filed":
        return state_text(view.state)
    standing = methodology.version_standing(view.id, day=timezone.localdate())
    return state_text("filed") if standing is None else standing_words(standing)


def purpose_text(purpose: str) -> str:
    """Say in words what results of a version may be used for."""
    return {
        "operation": gettext("正式核算"),
        "demonstration": gettext("演示，不用于正式核算"),
        "test": gettext("测试，不用于任何核算"),
    }.get(purpose, purpose)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A methodology in the list: its newest filed version, else its newest; how much of it calculates."""

    view: VersionView
    name: str
    standing: Standing | None
    others: int

    @property
    def runs(self) -> str:
        """All, part or none of it calculates; points are not calculated at all and wait for nothing."""
        if self.standing is None:
            return "none"
        if not self.standing.waiting:
            return "all"
        return "part" if self.standing.running else "none"

    @property
    def waits_for(self) -> str:
        """The values that somebody has to give, by name."""
        return listed([said(one.item.name) for one in self.standing.waiting]) if self.standing else ""

    def about(self, words: str) -> bool:
        """Say whether a search means it: by code, name, scenario, or what it waits for."""
        view = self.view
        text = f"{view.code} {view.name_zh} {view.name_en} {view.scenario} {self.waits_for}".casefold()
        return all(word in text for word in words.casefold().split())


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """List every public methodology once, filtered by class, status and what calculates, or searched."""
    entries = _entries()
    chosen = {
        "class": _one_of(request, "class", CLASSES),
        "status": _one_of(request, "status", STATUSES),
        "runs": _one_of(request, "runs", RUNS),
        "q": request.GET.get("q", "").strip()[:SEARCH_LENGTH_MAX],
    }
    keep: dict[str, Callable[[Entry], bool]] = {
        "class": lambda one: one.view.methodology_class == chosen["class"],
        "status": lambda one: one.view.status == chosen["status"],
        "runs": lambda one: one.runs == chosen["runs"],
        "q": lambda one: one.about(chosen["q"]),
    }
    asked = [name for name, value in chosen.items() if value]
    found = [one for one in entries if all(keep[name](one) for name in asked)]
    context: dict[str, Any] = {
        "rows": [_row(one) for one in found],
        "total": len(entries),
        "query": chosen["q"],
        "kept": [(name, value) for name, value in chosen.items() if value and name != "q"],
        "filtered": bool(asked),
        "filters": [
            (gettext("类别"), _tabs(chosen, "class", CLASSES, class_text, [e.view.methodology_class for e in entries])),
            (gettext("出处"), _tabs(chosen, "status", STATUSES, status_text, [e.view.status for e in entries])),
            (gettext("能否核算"), _tabs(chosen, "runs", RUNS, runs_text, [e.runs for e in entries])),
        ],
    }  # fmt: skip
    return page(request, "portal/methodologies.html", context, section="methodologies")


@require_safe
def archive(request: HttpRequest, code: str, version: str, sha256: str) -> HttpResponse:
    """Send the archive of a version, whose SHA-256 is its address."""
    for view in public_versions(code):
        if (view.version, view.archive_sha256) == (version, sha256):
            response = HttpResponse(methodology.archive_bytes(view.id), content_type="application/zip")
            response["Content-Disposition"] = (
                f'attachment; filename="{view.code}-{view.version}-{sha256[:8]}.zip"'
            )
            return response
    raise Http404


def runs_text(runs: str) -> str:
    """Say how much of a methodology calculates."""
    return {
        "all": gettext("不缺取值"),
        "part": gettext("一部分待定"),
        "none": gettext("等待取值"),
    }[runs]


def public_versions(code: str) -> list[VersionView]:
    """Return the versions of a methodology that everybody may read, newest first."""
    return [view for view in methodology.versions_of(code) if view.state not in HIDDEN]


def chosen_version(code: str, version: str, digest: str = "") -> tuple[VersionView, list[VersionView]]:
    """Return the filed row of a version number, else the newest, and the others of that number; or the one of a digest.

    Raises Http404.
    """
    found = [view for view in public_versions(code) if view.version == version]
    if digest:
        found.sort(key=lambda view: not view.archive_sha256.startswith(digest))
        if not found or not found[0].archive_sha256.startswith(digest):
            raise Http404
    if not found:
        raise Http404
    first = found[0] if digest else next((view for view in found if view.state == "filed"), found[0])
    return first, [view for view in found if view.id != first.id]


def _entries() -> list[Entry]:
    """Return each methodology once, by code."""
    by_code: dict[str, list[VersionView]] = {}
    for view in methodology.library():
        if view.state not in HIDDEN:
            by_code.setdefault(view.code, []).append(view)
    entries = []
    for views in by_code.values():
        first = next((view for view in views if view.state == "filed"), views[0])
        entries.append(
            Entry(
                view=first,
                name=worded(first.name_zh, first.name_en),
                standing=_standing(first.id),
                others=len(views) - 1,
            )
        )
    return entries


def _standing(version_id: int) -> Standing | None:
    """Return what of a version calculates; None where its bytes are refused, which must not hide the others."""
    try:
        return standing(methodology.loaded(version_id))
    except Refusal:
        return None


def _row(entry: Entry) -> dict[str, Any]:
    view = entry.view
    return {
        "version": view,
        "name": entry.name,
        "class": class_text(view.methodology_class),
        "status": status_text(view.status),
        "state": standing_text(view),
        "purpose": "" if view.purpose == "operation" else purpose_text(view.purpose),
        "runs": entry.runs,
        "running": listed([said(variant.name) for variant in entry.standing.running])
        if entry.standing
        else "",
        "unreadable": entry.standing is None,
        "waits_for": entry.waits_for,
        "others": entry.others,
    }


def _one_of(request: HttpRequest, name: str, values: Sequence[str]) -> str:
    """Return what a filter asks for; anything else than its values asks for nothing."""
    value = request.GET.get(name, "")
    return value if value in values else ""


def _tabs(
    chosen: dict[str, str], name: str, values: Sequence[str], text: Callable[[str], str], found: Sequence[str]
) -> list[Tab]:
    """Return a filter as tabs with the number of methodologies behind each; one without any is left out."""
    counts = Counter(found)

    def address(value: str) -> str:
        query = {key: given for key, given in {**chosen, name: value}.items() if given}
        return reverse("portal:methodologies") + (f"?{urlencode(query)}" if query else "")

    every = Tab(gettext("全部"), address(""), count=len(found), active=not chosen[name])
    return [every] + [
        Tab(text(value), address(value), count=counts[value], active=chosen[name] == value)
        for value in values
        if counts[value]
    ]
