"""离线查验归档包。/ Check the archive package of a case offline, with nothing but the file.

Exit status: 0 whole and unchanged, 1 changed, 2 the input cannot be used.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tanpuhui.foundation.workflow.domain.archive import check_archive

WHOLE, CHANGED, UNUSABLE = 0, 1, 2
_PORTION = 256 * 1024


def main(argv: list[str]) -> int:
    """Check one package and say what was found in Chinese (or in English with `--lang en`)."""
    parser = argparse.ArgumentParser(prog="tanpuhui verify-archive", description=__doc__)
    parser.add_argument("archive", type=Path, help="归档包 / the package, a ZIP file")
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    options = parser.parse_args(argv)
    english = options.lang == "en"
    try:
        with zipfile.ZipFile(options.archive) as archive:
            checks = check_archive(archive.namelist(), lambda name: _portions(archive, name))
    except (OSError, zipfile.BadZipFile) as error:
        sentence = "Cannot read {}: {}" if english else "读不了 {}：{}"
        print(sentence.format(options.archive, error), file=sys.stderr)
        return UNUSABLE
    for check in checks:
        print(f"  {'✓' if check.ok else '✗'} {check.en if english else check.zh}  [{check.code}]")
    whole = all(check.ok for check in checks)
    if english:
        print("WHOLE: nothing was changed, taken out or added." if whole else "NOT AS ARCHIVED.")
    else:
        print("完整：没有改动、缺少或增加。" if whole else "与归档时不一致。")
    return WHOLE if whole else CHANGED


def _portions(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as source:
        while portion := source.read(_PORTION):
            yield portion
