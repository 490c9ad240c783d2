"""What the parts of a page are made of (页面部件的数据). Views fill these; the tags of `tanpuhui` draw them.

Every record is plain data. A tag also takes a mapping with the same keys, so a query may hand over its rows unchanged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.urls import reverse
from django.utils.safestring import SafeString

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Tonnes


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One door of a shell's navigation. `starts_group` puts a gap before it; `count` is what waits behind it."""

    label: str
    url_name: str = ""
    icon: str = ""
    active: bool = False
    count: int | None = None
    starts_group: bool = False
    url: str = ""

    @property
    def href(self) -> str:
        """Address of the door: the given one, else the reversed url name."""
        return self.url or reverse(self.url_name)


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the breadcrumbs; the last has no address."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter tab with the number of rows behind it."""

    label: str
    url: str
    count: int | None = None
    active: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value. `mono` for digests and serials."""

    label: str
    value: str | SafeString
    url: str = ""
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """A reduction that waits to be collected, or that settles later (`pending`, with its date in `note`).

    `scenario` is one of bus metro bike walk power reuse ev other and gives the colour.
    """

    grams: Grams
    scenario: str
    label: str
    note: str = ""
    pending: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A line of a statement. `state` is collect, pending, posted or refused; `state_text` says it in words."""

    label: str
    grams: Grams
    state: str
    state_text: str = ""
    detail: str = ""
    icon: str = "other"
    url: str = ""


@dataclass(frozen=True, slots=True)
class CompareBars:
    """Baseline against actual on one gauge, in one unit; the saved part is drawn between them."""

    baseline_label: str
    baseline: Decimal
    actual_label: str
    actual: Decimal
    saved_label: str
    unit: str = "g"


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """A numbered step: what, value, unit, source; or a formula with the person's own numbers and its result."""

    what: str
    value: str = ""
    unit: str = ""
    note: str = ""
    source: str = ""
    source_url: str = ""
    formula: str = ""
    result: str = ""
    result_unit: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a record is worth what it is worth: number, bars, steps, and the proof facts below."""

    grams: Grams
    scene: str
    icon: str
    state: str
    state_text: str
    occurred: str
    bars: CompareBars | None
    steps: Sequence[ExplanationStep]
    proof: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """One of the citizen's small ledgers under the water: label, number, unit, a note (`urgent` sets it in ochre)."""

    label: str
    number: str
    url: str
    unit: str = ""
    note: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the check-in week; `state` is done, today or empty."""

    name: str
    number: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """A large door of the elder page."""

    label: str
    note: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a register table. `kind`: "" text, "num" right-aligned number, "mono", "soft", "symbol"."""

    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a register table. `unset` tints it brick: the row says what it blocks. `remark` stands beneath it."""

    cells: Sequence[str | SafeString]
    url: str = ""
    unset: bool = False
    remark_by: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A case that waits. Days are working days; `days_left` below 0 is overdue; `stopped` greys the row.

    `pick` is the value of its box where rows can be picked; the table then lies inside a form.
    """

    kind: str
    title: str
    number: str
    url: str
    applicant: str
    action: str
    place: str = ""
    days_total: int | None = None
    days_left: int | None = None
    stopped: bool = False
    pick: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a case; `state` is done, now or empty; `note` is its date or what is going on."""

    label: str
    note: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class CaseHeader:
    """Head of a case: number, version, state, title; at the right the next action with its working days."""

    number: str
    title: str
    state: str
    state_text: str
    steps: Sequence[Step]
    version: str = ""
    about: Sequence[str] = ()
    next_action: str = ""
    started: dt.date | None = None
    due: dt.date | None = None
    days_total: int | None = None
    days_left: int | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An act of a case, newest first: decision, person and field, opinion in full, and what was said of it later.

    `tone`: ok, bad, tl-s (what happened without moving the case: it stands smaller) or empty.
    """

    title: str
    at: dt.datetime
    who: str
    opinion: str = ""
    tone: str = ""
    link_label: str = ""
    url: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision that can be taken."""

    value: str
    label: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class BalancePart:
    """A summand of the register's equation. `kind`: held transit frozen retired reserved locked cancelled buffer."""

    label: str
    tonnes: Tonnes
    kind: str


@dataclass(frozen=True, slots=True)
class Check:
    """A plain check of the proof panel."""

    title: str
    detail: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """What a stranger needs to believe a certificate.

    `sides` are the siblings of the RFC 6962 inclusion path from leaf to head, each "left" or "right".
    """

    checks: Sequence[Check]
    sides: Sequence[str]
    leaf_digest: str
    head_number: int
    head_digest: str
    checked_at: dt.datetime | None = None
    download_url: str = ""
    download_size: str = ""
    how_url: str = ""


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon shown to a shop assistant: value, twelve digits, QR content, seconds until the code changes."""

    merchant: str
    terms: str
    value: Fen
    code: str
    qr_content: str
    seconds_left: int
    seconds_total: int = 60
    facts: Sequence[Fact] = ()
    refresh_url: str = ""


@dataclass(frozen=True, slots=True)
class NextCoupon:
    """The coupon that peeks from below."""

    name: str
    terms: str
    value: Fen
    url: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the tile cartogram: place in the grid, value as written, step 1 to 6, `centre` draws the drop."""

    column: int
    row: int
    name: str
    value: str
    step: int
    centre: bool = False


@dataclass(frozen=True, slots=True)
class Sea:
    """Water of the cartogram: place in the grid in tiles, width in tiles, and its name."""

    column: float
    row: float
    width: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Cartogram:
    """The tile cartogram: tiles, seas, the five class bounds as written, and the legend's words."""

    label: str
    tiles: Sequence[Tile]
    bounds: Sequence[str]
    legend: str
    seas: Sequence[Sea] = field(default_factory=tuple)
    centre_legend: str = ""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A data source of the day: name, state in words, rows an hour, and the total as written."""

    name: str
    state: str
    state_text: str
    hours: Sequence[int]
    total: int
