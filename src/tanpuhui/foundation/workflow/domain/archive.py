"""The archive package of a case (归档包): what is in it, and how anybody checks it with nothing but the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

FORMAT = "tanpuhui-case-archive/1"
INDEX, PAGE, SUMS = "index.json", "index.html", "SHA256SUMS"
"""Everything about the case for machines, the same for readers, and the hash of every other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCheck:
    """One thing that was checked, in both languages."""

    code: str
    ok: bool
    zh: str
    en: str


def signed_sha256(said: Mapping[str, object]) -> str:
    """Return SHA-256 (hex) over the canonical JSON (RFC 8785) of what a decision says and the signature before it."""
    return hashlib.sha256(rfc8785.dumps(dict(said))).hexdigest()


def index_bytes(index: Mapping[str, Any]) -> bytes:
    """Return an index as canonical JSON (RFC 8785): the same case gives the same bytes."""
    content: bytes = rfc8785.dumps(dict(index))
    return content


def sums_text(hashes: Mapping[str, str]) -> bytes:
    """Return the list of hashes, sorted by name, as `sha256sum --check` reads it."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def attachment_path(position: int, *, kind: str, version: int, name: str) -> str:
    """Return where a version of a document lies in the package; the number keeps two of one name apart."""
    plain = "".join("_" if character in '\\/:*?"<>|' or character < " " else character for character in name)
    return f"attachments/{position:03d}-{kind}-v{version}-{plain.lstrip('.') or '_'}"


def check_archive(names: Sequence[str], read: Callable[[str], Iterable[bytes]]) -> tuple[ArchiveCheck, ...]:
    """Check a package: every file is listed and has its hash, the index is readable, and the decisions are a chain.

    `read` gives a file's bytes in portions. What cannot be read fails; nothing passes because it is missing.
    """
    listed = _listed(b"".join(read(SUMS))) if SUMS in names else None
    if listed is None or INDEX not in names or PAGE not in names or len(set(names)) != len(names):
        return (
            ArchiveCheck(
                code="ARCHIVE_UNREADABLE",
                ok=False,
                zh="这不是完整的归档包：缺少索引或哈希清单，或者有重名的文件",
                en="this is no whole package: index or list of hashes is missing, or two files have one name",
            ),
        )
    return (
        _whole(names, listed),
        *(_unchanged(name, listed, read) for name in sorted(set(names) - {SUMS})),
        *_index_checks(b"".join(read(INDEX)), listed),
    )


def _listed(content: bytes) -> dict[str, str] | None:
    found: dict[str, str] = {}
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        return None
    for line in lines:
        digest, gap, name = line.partition("  ")
        if not gap or len(digest) != 64 or name in found:
            return None
        found[name] = digest
    return found


def _whole(names: Sequence[str], listed: Mapping[str, str]) -> ArchiveCheck:
    missing, extra = set(listed) - set(names), set(names) - set(listed) - {SUMS}
    return ArchiveCheck(
        code="ARCHIVE_WHOLE",
        ok=not missing and not extra,
        zh=f"清单和文件一致（共 {len(listed)} 个）"
        if not missing | extra
        else f"清单和文件不一致：{'、'.join(sorted(missing | extra))}",
        en=f"list and files agree ({len(listed)})"
        if not missing | extra
        else f"list and files differ: {', '.join(sorted(missing | extra))}",
    )


def _unchanged(name: str, listed: Mapping[str, str], read: Callable[[str], Iterable[bytes]]) -> ArchiveCheck:
    digest = hashlib.sha256()
    for portion in read(name):
        digest.update(portion)
    ok = digest.hexdigest() == listed.get(name)
    return ArchiveCheck(
        code="ARCHIVE_FILE",
        ok=ok,
        zh=f"{name}：{'哈希相符' if ok else '内容已改变'}",
        en=f"{name}: {'hash agrees' if ok else 'content changed'}",
    )


def _index_checks(content: bytes, listed: Mapping[str, str]) -> tuple[ArchiveCheck, ...]:
    try:
        index: dict[str, Any] = json.loads(content)
        known = index["format"] == FORMAT
        papers = {paper["path"]: paper["sha256"] for paper in index["attachments"]}
        decisions = [(decision["signed"], decision["sha256"]) for decision in index["decisions"]]
    except (ValueError, KeyError, TypeError):
        known, papers, decisions = False, {}, []
    agree = {path: digest for path, digest in listed.items() if path.startswith("attachments/")} == papers
    return (
        ArchiveCheck(
            code="ARCHIVE_INDEX",
            ok=known,
            zh="索引可读" if known else "索引不可读",
            en="index readable" if known else "index unreadable",
        ),
        ArchiveCheck(
            code="ARCHIVE_ATTACHMENTS",
            ok=known and agree,
            zh="索引列出的附件和文件一致" if known and agree else "索引列出的附件和文件不一致",
            en="the attachments named by the index are the files"
            if known and agree
            else "attachments named by the index are not the files",
        ),
        _chained(decisions, known=known),
    )


def _chained(decisions: Sequence[tuple[dict[str, Any], str]], *, known: bool) -> ArchiveCheck:
    """Check that each decision is what was signed and signs the one before; those older than signatures have none."""
    previous, faults = "", list[str]()
    for number, (said, digest) in enumerate(decisions, start=1):
        right = said.get("step") == number and said.get("previous") == previous
        if not right or ((digest or previous) and signed_sha256(said) != digest):
            faults.append(str(number))
        previous = digest
    ok = known and not faults
    return ArchiveCheck(
        code="ARCHIVE_DECISIONS",
        ok=ok,
        zh=f"{len(decisions)} 项决定的签名首尾相连"
        if ok
        else f"决定的签名不符：第 {'、'.join(faults) or '?'} 步",
        en=f"the signatures of {len(decisions)} decisions form a chain"
        if ok
        else f"signatures do not agree: step {', '.join(faults) or '?'}",
    )
