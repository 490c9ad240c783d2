"""Public notice (公示), pure: who answers, which names and files are taken, how a name is shown, where a notice stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import PurePosixPath

from tanpuhui.foundation.kernel.actors import Actor, Grant, Role, area_covers
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow.domain.refusals import (
    CommentMissing,
    CommentTooLong,
    FileKindRefused,
    FileTooBig,
    RealNameNeeded,
    TooManyFiles,
)
from tanpuhui.foundation.workflow.domain.verdicts import TransitionRow, leaving

ANSWERING_ROLES = frozenset({Role.MAKER, Role.CHECKER, Role.SUBCENTRE, Role.REGULATOR})
"""Those who run the scheme: of them, the roles that leave a notice also answer what was said to it."""

NAME_CHARACTERS_MAX = 40
NAME_LETTERS_MIN = 2
NAME_MARKS = " ·•.'’-"
"""What may stand in a person's name beside letters: 买买提·艾力, O’Neill, Anne-Marie."""

SIGNATURES: Mapping[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "docx": (b"PK\x03\x04",),
    "xlsx": (b"PK\x03\x04",),
}
"""How the content of each kind of file begins; a kind without a known beginning is never taken."""

MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class NoticeState(StrEnum):
    """Where a notice stands: people may comment, its days are over and the case waits, or its result is known."""

    RUNNING = "running"
    WAITING = "waiting"
    ENDED = "ended"


def notice_state(*, last_day: date, closed_at: datetime | None, at: datetime) -> NoticeState:
    """Return where a notice stands at a moment; its last day ends at midnight in China."""
    if closed_at is not None:
        return NoticeState.ENDED
    return NoticeState.RUNNING if business_day(at) <= last_day else NoticeState.WAITING


def answering_roles(transitions: Iterable[TransitionRow], state: str) -> frozenset[Role]:
    """Return who answers comments in a state: those who run the scheme and may leave it, else maker and regulator."""
    named = {way.role for way in leaving(transitions, state)}
    found = frozenset(role for role in ANSWERING_ROLES if role.value in named)
    return found or frozenset({Role.MAKER, Role.REGULATOR})


def answering_grant(actor: Actor, *, roles: Collection[Role], area: str) -> Grant | None:
    """Return the grant by which the actor answers comments in an area, their own before a delegated one; or None."""
    held = [grant for grant in actor.grants if grant.role in roles and area_covers(grant.area, area)]
    return min(held, key=lambda grant: grant.on_behalf_of != "", default=None)


def checked_name(name: str) -> str:
    """Return the real name as it was declared, tidied. Raises RealNameNeeded for what cannot be a person's name."""
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    letters = sum(unicodedata.category(sign).startswith("L") for sign in tidy)
    strange = any(
        not unicodedata.category(sign).startswith(("L", "M")) and sign not in NAME_MARKS for sign in tidy
    )
    if letters < NAME_LETTERS_MIN or strange or len(tidy) > NAME_CHARACTERS_MAX:
        raise RealNameNeeded
    return tidy


def masked_name(name: str) -> str:
    """Return a name as strangers see it: its first sign, and two stars that say nothing of its length (李**)."""
    return f"{name[:1]}**"


def checked_comment(text: str, *, characters_max: int) -> str:
    """Return what was said, without blank edges. Raises CommentMissing, CommentTooLong."""
    tidy = text.strip()
    if not tidy:
        raise CommentMissing
    if len(tidy) > characters_max:
        raise CommentTooLong(most=characters_max, length=len(tidy))
    return tidy


def check_file_count(count: int, *, most: int) -> None:
    """Refuse more files than a comment may carry. Raises TooManyFiles."""
    if count > most:
        raise TooManyFiles(most=most, count=count)


def checked_file(*, name: str, content: bytes, kinds: Collection[str], bytes_max: int) -> tuple[str, str]:
    """Return a file's plain name and media type, judged by its ending and by how its content begins.

    Raises FileKindRefused, FileTooBig.
    """
    plain = PurePosixPath(name.replace("\\", "/")).name.strip()[-200:]
    kind = PurePosixPath(plain).suffix.removeprefix(".").lower()
    if kind not in kinds or not content.startswith(SIGNATURES.get(kind, ())):
        raise FileKindRefused(name=plain or "—", kinds=", ".join(sorted(kinds)))
    if len(content) > bytes_max:
        raise FileTooBig(name=plain, size=len(content), most=bytes_max)
    return plain, MEDIA_TYPES[kind]
