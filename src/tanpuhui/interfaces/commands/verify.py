"""离线查验凭证或归集包含证明。/ Check a certificate or a pool inclusion file offline, with nothing but the file and the published keys.

Exit status: 0 valid as of the head named, 1 refused, 2 the input cannot be used.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tanpuhui.books.transparency.domain.canonical import Unreadable, parse
from tanpuhui.books.transparency.domain.certificates import Verdict, verify_certificate
from tanpuhui.books.transparency.domain.pool_inclusion import POOL_INCLUSION_FORMAT, verify_pool_inclusion

VALID, REFUSED, UNUSABLE = 0, 1, 2


def main(argv: list[str]) -> int:
    """Check one file and say what was found in Chinese (or in English with `--lang en`)."""
    parser = argparse.ArgumentParser(prog="tanpuhui verify", description=__doc__)
    parser.add_argument("certificate", type=Path, help="certificate.json / pool-inclusion.json")
    parser.add_argument(
        "--keys", type=Path, required=True, help="keys.json，来自 /keys / as published at /keys"
    )
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    options = parser.parse_args(argv)
    english = options.lang == "en"
    try:
        bundle, keys = options.certificate.read_bytes(), options.keys.read_bytes()
    except OSError as error:
        sentence = "Cannot read {}: {}" if english else "读不了 {}：{}"
        print(sentence.format(error.filename, error.strerror), file=sys.stderr)
        return UNUSABLE
    of_pool = _is_pool_inclusion(bundle)
    verdict = verify_pool_inclusion(bundle, keys) if of_pool else verify_certificate(bundle, keys)
    _say(verdict, english=english)
    if not verdict.usable:
        return UNUSABLE
    return VALID if verdict.valid else REFUSED


def _is_pool_inclusion(bundle: bytes) -> bool:
    """Say which of the two files it is by its own word; what cannot be read is judged as a certificate."""
    try:
        document = parse(bundle)
    except Unreadable:
        return False
    return isinstance(document, dict) and document.get("format") == POOL_INCLUSION_FORMAT


def _say(verdict: Verdict, *, english: bool) -> None:
    print(_sentence(verdict, english=english))
    for check in verdict.checks:
        print(f"  {'✓' if check.ok else '✗'} {_printable(check.en if english else check.zh)}  [{check.code}]")
    if verdict.valid and verdict.certificate is not None:
        told = _contribution if "people" in verdict.certificate else _statement
        for line in told(verdict.certificate, english=english):
            print(f"  {_printable(line)}")


def _sentence(verdict: Verdict, *, english: bool) -> str:
    if verdict.valid:
        if english:
            return (
                f"VALID as of head {verdict.as_of_head} ({verdict.size} leaves). "
                "A revocation after that head shows only against a later head."
            )
        return f"有效：截至第 {verdict.as_of_head} 号树头（共 {verdict.size} 叶）。此后若有撤销，须以更晚的树头查验。"
    if not verdict.usable:
        return "UNUSABLE input." if english else "无法查验：输入文件不可用。"
    if verdict.checks[-1].code == "PROOF_PENDING":
        return "NOT YET: proof pending." if english else "尚不能查验：证明待生成。"
    return "REFUSED." if english else "不予认可。"


def _statement(certificate: Mapping[str, Any], *, english: bool) -> list[str]:
    ranges = "; ".join(
        f"{one['issuance']} {one['first']}–{one['last']}" for one in certificate["serial_ranges"]
    )
    beneficiary = certificate["beneficiary"]
    person = "a person, by commitment " if english else "自然人（承诺值）"
    rows = [
        ("Certificate", "凭证编号", certificate["number"]),
        ("Quantity", "数量", f"{certificate['quantity_t']} tCO2e · {certificate['unit']['name']}"),
        ("Serials", "序列号", ranges),
        ("Project", "项目", f"{certificate['project']['code']} {certificate['project']['name']}"),
        (
            "Methodology",
            "方法学",
            f"{certificate['methodology']['code']} {certificate['methodology']['version']} · {certificate['vintage']}",
        ),
        ("Holder", "持有人", certificate["holder"]["name"]),
        ("Beneficiary", "受益人", beneficiary.get("name") or person + beneficiary["commitment"]),
        ("Purpose", "用途", certificate["purpose"]["text"]),
        ("Retired on", "注销日期", certificate["retired_on"]),
    ]
    return [f"{en}: {value}" if english else f"{zh}：{value}" for en, zh, value in rows]


def _contribution(contribution: Mapping[str, Any], *, english: bool) -> list[str]:
    rows = [
        ("Account (ten digits)", "碳账户（十位号）", contribution["account"]),
        ("Scenario", "场景", contribution["scenario"]),
        ("Pool", "归集月份", contribution["month"]),
        ("Contribution", "减排量", f"{contribution['grams']} g"),
        ("People in the pool", "归集人数", contribution["people"]),
    ]
    return [f"{en}: {value}" if english else f"{zh}：{value}" for en, zh, value in rows]


def _printable(text: str) -> str:
    """Take out control and direction characters, so that a file cannot rewrite the verdict on the screen."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character
        for character in text
    )
