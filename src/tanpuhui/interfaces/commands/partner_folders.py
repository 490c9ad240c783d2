"""Folders that partners drop files in (伙伴文件夹): one file is taken once, whatever ends the watcher in between.

    <root>/<partner id>/<format or scenario>/in/       the partner writes rides.csv, then rides.csv.done
                                             /.work/    claimed; what lies here is finished first
                                             /taken/    42-rides.csv (batch 42), later 42-rides.csv.report.csv
                                             /refused/  3f2a…-rides.csv and 3f2a…-rides.csv.txt with the reason

A file is taken when its marker `<name>.done` stands beside it. Waiting until size and time stand still would guess: an upload
that stalls for a minute looks finished, and half a file would be booked. The marker may hold the file's SHA-256 (as sha256sum
prints it); then a file that is not the one it names is refused.

Each step is one rename, so there is no moment at which a file is nowhere or in two places: marker to .work as `<name>.done`,
file to .work, marker to `<name>.here`, batch received (the same bytes are the same batch), file to taken, marker away. Only a
`.done` without its file says that the file still lies in `in`; a `.here` without its file says that all is done.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import receive_batch
from tanpuhui.foundation.identity.queries import partner_acting
from tanpuhui.foundation.kernel.errors import Refusal

DONE, HERE = ".done", ".here"
WORK = ".work"
READ_BYTES = 1 << 20
NAME_LENGTH_MAX = 180
MEDIA_TYPE = "application/octet-stream"
_TAKEN = re.compile(r"([0-9]{1,18})-(.+)")
_SHA256 = re.compile(rb"\s*([0-9a-fA-F]{64})\b")


class NotThatFile(Refusal):
    """The marker names another content than the file has."""

    code = "NOT_THAT_FILE"
    zh = "标记里写的 SHA-256 和文件的内容不符，文件可能没有传完整。请重新放入文件和标记。"
    en = "The SHA-256 in the marker is not that of the file, which may be cut off. Put file and marker in again."


class NoPlainFile(Refusal):
    """What was dropped is a link, a folder or a device."""

    code = "NO_PLAIN_FILE"
    zh = "这不是普通文件，没有读取。请放入文件本身，不要放链接。"
    en = "This is no plain file and was not read. Put the file itself in, not a link."


class FolderFileTooLarge(Refusal):
    """The file is larger than one file may be."""

    code = "FILE_TOO_LARGE"
    zh = "文件超过 {limit_bytes} 字节的上限，没有接收。请分成几个文件。"
    en = "The file is larger than {limit_bytes} bytes and was not taken. Split it."


class FolderHasNoFeed(Refusal):
    """The folder is named after no format or scenario in which the partner sends."""

    code = "FOLDER_HAS_NO_FEED"
    zh = "机构 {partner} 没有名为 {name} 的数据接入，文件没有接收。请联系运营机构。"
    en = "The partner {partner} has no feed called {name}; the file was not taken. Contact the operator."


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What became of one file: its batch, or the refusal's code."""

    name: str
    partner: str
    batch_id: int | None
    code: str


Step = Callable[[str], None]


def _nothing(step: str) -> None:
    """Let a step pass; tests end the watcher here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartnerFolder:
    """The folder of one partner and feed. `reached` is called between the steps, so that a test can end it there."""

    path: Path
    reached: Step = _nothing

    @property
    def partner(self) -> str:
        """The partner's number, as the folder is called."""
        return self.path.parent.name

    def look(self, *, at: datetime) -> Iterator[Moved]:
        """Take or refuse what is finished, and write the reports of what was posted. Raises what the database raises."""
        for name in (WORK, "taken", "refused"):
            (self.path / name).mkdir(exist_ok=True)
        yield from self._finish(at)
        for marker in sorted((self.path / "in").glob(f"*{DONE}")):
            name = marker.name.removesuffix(DONE)
            if name and not name.startswith(".") and os.path.lexists(self.path / "in" / name):
                marker.rename(self._work(name, DONE))
                self.reached("marker claimed")
                yield from self._finish(at)
        self._report()

    def _work(self, name: str, ending: str = "") -> Path:
        return self.path / WORK / f"{name}{ending}"

    def _finish(self, at: datetime) -> Iterator[Moved]:
        """Bring every claimed file to its end, from wherever it stood."""
        for marker in sorted((self.path / WORK).glob(f"*{DONE}")):
            name = marker.name.removesuffix(DONE)
            dropped = self.path / "in" / name
            if not os.path.lexists(self._work(name)) and os.path.lexists(dropped):
                dropped.rename(self._work(name))
                self.reached("file claimed")
            marker.rename(self._work(name, HERE))
            self.reached("marker turned")
        for marker in sorted((self.path / WORK).glob(f"*{HERE}")):
            name = marker.name.removesuffix(HERE)
            if os.path.lexists(self._work(name)):
                moved = self._move(name, marker, at)
                if moved is None:
                    continue
                yield moved
            marker.unlink()
            self.reached("marker gone")

    def _move(self, name: str, marker: Path, at: datetime) -> Moved | None:
        """Receive a claimed file, or refuse it; None where it has to wait for a better moment."""
        try:
            batch_id = self._receive(name, marker, at)
        except Refusal as refusal:
            if refusal.retryable:
                return None
            self._refuse(name, refusal)
            return Moved(name=name, partner=self.partner, batch_id=None, code=refusal.code)
        self.reached("received")
        self._work(name).rename(self.path / "taken" / f"{batch_id}-{name[-NAME_LENGTH_MAX:]}")
        self.reached("taken")
        return Moved(name=name, partner=self.partner, batch_id=batch_id, code="")

    def _receive(self, name: str, marker: Path, at: datetime) -> int:
        partner_id = int(self.partner)
        with _plain(self._work(name)) as stream:
            digest = _digest(stream)
            stream.seek(0)
            said = _SHA256.match(marker.read_bytes()[:READ_BYTES])
            if said is not None and said[1].decode().lower() != digest:
                raise NotThatFile
            file_name = name[-NAME_LENGTH_MAX:]
            known = hashlib.sha256(f"{file_name}\n{digest}".encode()).hexdigest()
            return receive_batch(
                actor=partner_acting(partner_id=partner_id, at=at),
                at=at,
                idempotency_key=f"folder:{known}",
                partner_id=partner_id,
                adapter=self._adapter(partner_id),
                file_name=file_name,
                media_type=MEDIA_TYPE,
                content=stream,
            ).batch_id

    def _adapter(self, partner_id: int) -> str:
        """Return the format that the folder is called, or that of the one feed of the scenario that it is called."""
        feeds = activity.feeds(partner_id=partner_id)
        name = self.path.name
        if any(feed.adapter == name for feed in feeds):
            return name
        of_scenario = {feed.adapter for feed in feeds if feed.scenario == name}
        if len(of_scenario) != 1:
            raise FolderHasNoFeed(partner=partner_id, name=name)
        return of_scenario.pop()

    def _refuse(self, name: str, refusal: Refusal) -> None:
        """Write the reason, then move the file beside it; both have names that the content gives, so that a repeat is the same."""
        place = self.path / "refused" / f"{_short_digest(self._work(name))}-{name[-NAME_LENGTH_MAX:]}"
        _write(
            place.with_name(f"{place.name}.txt"),
            f"{refusal.code}\n{refusal.message('zh')}\n{refusal.message('en')}\n",
        )
        self.reached("reason written")
        self._work(name).rename(place)
        self.reached("refused")

    def _report(self) -> None:
        """Put the report beside each file whose batch is settled; a batch of another partner is none of this folder."""
        for file in sorted((self.path / "taken").iterdir()):
            found = _TAKEN.fullmatch(file.name)
            report = file.with_name(f"{file.name}.report.csv")
            if found is None or file.name.endswith(".report.csv") or report.exists():
                continue
            try:
                view = activity.batch(int(found[1]))
            except Refusal:
                continue
            if str(view.partner_id) != self.partner or view.state == "received":
                continue
            lines = "".join(activity.batch_report_csv(view.id))
            _write(report, f"\N{ZERO WIDTH NO-BREAK SPACE}{lines}")
            self.reached("reported")


def folders(root: Path) -> Iterator[PartnerFolder]:
    """Return the folders under a root that a partner can drop files in: `<partner id>/<format or scenario>/in`."""
    for inbox in sorted(root.glob("*/*/in")):
        folder = inbox.parent
        if folder.parent.name.isascii() and folder.parent.name.isdecimal() and inbox.is_dir():
            yield PartnerFolder(path=folder)


def _plain(path: Path) -> BinaryIO:
    """Open a plain file for reading, never through a link. Raises NoPlainFile, FolderFileTooLarge."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise NoPlainFile from error
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        os.close(number)
        raise NoPlainFile
    if found.st_size > settings.TANPUHUI_BATCH_BYTES_MAX:
        os.close(number)
        raise FolderFileTooLarge(limit_bytes=settings.TANPUHUI_BATCH_BYTES_MAX)
    return os.fdopen(number, "rb")


def _digest(stream: BinaryIO) -> str:
    """Return the SHA-256 of the rest of a stream, hexadecimal."""
    digest = hashlib.sha256()
    while piece := stream.read(READ_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _short_digest(path: Path) -> str:
    """Return the beginning of a file's SHA-256; of what is no plain file or too large, of its name."""
    try:
        with _plain(path) as stream:
            return _digest(stream)[:16]
    except Refusal:
        return hashlib.sha256(path.name.encode()).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.rename(path)
