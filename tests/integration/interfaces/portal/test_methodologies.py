"""The library shows what runs: formulas of the loaded tree, values with their source, and what nobody has decided."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.integration.interfaces.portal.test_pages import text_of

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.models import MethodologyVersion
from tanpuhui.science.methodology.operations import import_version
from tanpuhui.science.methodology.queries import _versions

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "methodologies" / "a03-bike" / "1.0"
DEMONSTRATION = ROOT / "jurisdictions" / "shandong" / "parameter_sets" / "demonstration.yaml"
PAGE = "/methodologies/A03/1.0"


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def version_id(db: None, own_folder: Path, now: datetime) -> int:
    values = DEMONSTRATION.read_bytes()
    return import_version(actor=SYSTEM, at=now, files=read(FOLDER), parameter_set=values).version_id


def test_a_version_shows_formulas_values_and_sources(
    version_id: int, client: Client, django_assert_max_num_queries: Any
) -> None:
    methodology.worked_cases(version_id)
    with django_assert_max_num_queries(12):
        response = client.get(PAGE)
    text = text_of(response)
    assert "减排量 = 基准排放 − 实际排放" in text
    assert re.search(
        r"EFB\s*基准因子\s*0\.104\s*kg CO2/\(人\s*km\)\s*有文件，可信度中\s*M\s*DB11/T 3043", text
    )
    assert "京津冀取值，不是山东本地值" in text
    assert "演示，不用于正式核算" in text
    assert "草案，不能核算" in text


def test_formulas_are_mathematics_whose_symbols_are_listed_and_lead_to_their_values(
    version_id: int, client: Client
) -> None:
    page = client.get(PAGE).content.decode()
    formulas = re.findall(r'<math display="block">.*?</math>', page)
    assert len(formulas) > 6
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert not any("href" in formula for formula in formulas)  # inside <math> nothing may be focused
    listed = "".join(re.findall(r'<div class="sym">.*?</div>', page, re.DOTALL))
    links = set(re.findall(r'href="#([^"]+)"', listed))
    assert links <= targets
    assert "v-baseline_factor" in links


def test_a_value_that_nobody_decided_is_unset_and_says_what_it_blocks(
    version_id: int, client: Client, english: Client
) -> None:
    assert re.search(r"电单车电耗\s*待定.*不能核算：电单车", text_of(client.get(PAGE)))
    assert re.search(r"Open.*cannot be calculated: E-bike", text_of(english.get(PAGE)))


def test_values_that_were_not_taken_stand_beside_the_one_that_was(
    db: None, own_folder: Path, now: datetime, client: Client
) -> None:
    files = read(FOLDER)
    files["methodology.yaml"] = files["methodology.yaml"].replace(
        b"    factor: jjj_composite_baseline\n",
        b"    factor: jjj_composite_baseline\n    alternatives: [jjj_other]\n",
    )
    files["factors/other.yaml"] = (
        "schema: tanpuhui-factors/1\nfactors:\n  - {code: jjj_other, name: {zh: 另, en: Other}, value: 0.2, unit: kgCO2/pkm, "
        "source: {zh: 另一份文件, en: Another document}, confidence: GK-L}\n"
    ).encode()
    import_version(actor=SYSTEM, at=now, files=files)
    assert re.search(
        r"并列的取值，没有采用\s*0\.2\s*kg CO2/\(人\s*km\)\s*通行知识，可信度低\s*GK-L\s*另一份文件",
        text_of(client.get(PAGE)),
    )


def test_worked_cases_show_what_the_running_engine_gives_now(version_id: int, client: Client) -> None:
    text = text_of(client.get(PAGE))
    assert "8 个算例，运行中的引擎现在给出的与应有的结果全部一致" in text
    assert "不计入：参数“电单车电耗”尚未确定取值" in text


def test_a_worked_case_that_fails_is_said_to_fail(
    db: None, own_folder: Path, now: datetime, client: Client
) -> None:
    files = read(FOLDER)
    before = files["cases.yaml"]
    files["cases.yaml"] = re.sub(rb"grams: ([0-9]+)", rb"grams: 9\1", before, count=1)
    assert files["cases.yaml"] != before
    import_version(actor=SYSTEM, at=now, files=files)
    assert "8 个算例中有 7 个一致，其余不一致" in text_of(client.get(PAGE))


def test_the_english_page_is_english_throughout(version_id: int, english: Client) -> None:
    page = english.get(PAGE).content.decode()
    page = re.sub(r'<span lang="zh-Hans">[^<]*</span>', "", page)
    text = re.sub(r"<[^>]+>", " ", page).replace("中文", "")
    assert re.findall(r"[\u4e00-\u9fff]+", text) == []


def test_the_library_can_be_filtered_and_searched(version_id: int, client: Client) -> None:
    import_version(actor=SYSTEM, at=timezone.now(), files=read(ROOT / "methodologies" / "a01-bus" / "1.0"))

    def found(query: str) -> set[str]:
        page = client.get(f"/methodologies{query}").content.decode()
        return set(re.findall(r'href="/methodologies/([A-Z0-9]+)/', page))

    assert found("") == {"A01", "A03"}
    assert found("?runs=none") == {"A01"}
    assert found("?runs=part") == {"A03"}
    assert found("?q=骑行") == {"A03"}
    assert found("?q=电单车电耗") == {"A03"}
    assert found("?class=PROJECT") == set()
    assert found("?class=nonsense") == {"A01", "A03"}
    assert "没有这样的方法学" in text_of(client.get("/methodologies?q=zzz"))


def test_two_versions_are_compared_by_what_can_change_a_result(
    version_id: int, now: datetime, client: Client, english: Client
) -> None:
    files = read(FOLDER)
    files["methodology.yaml"] = files["methodology.yaml"].replace(b'version: "1.0"', b'version: "1.1"', 1)
    path = next(path for path in files if path.startswith("factors/") and b"0.0087" in files[path])
    files[path] = files[path].replace(b"0.0087", b"0.0091")
    import_version(actor=SYSTEM, at=now, files=files, parameter_set=DEMONSTRATION.read_bytes())
    text = text_of(client.get("/methodologies/A03/1.0/to/1.1"))
    assert "有 1 处改动可能改变结果" in text
    assert "0.0087" in text
    assert "0.0091" in text
    assert "1 change can alter a result" in text_of(english.get("/methodologies/A03/1.0/to/1.1"))
    assert "/methodologies/A03/1.0/to/1.1" in client.get("/methodologies/A03/1.1").content.decode()
    assert client.get("/methodologies/A03/1.0/to/9.9").status_code == 404
    assert client.get("/methodologies/A03/1.0/to/1.0").status_code == 404


def test_what_an_author_wrote_is_shown_as_text(
    db: None, own_folder: Path, now: datetime, client: Client
) -> None:
    files = read(FOLDER)
    files["text.zh.md"] = (
        "# 标题\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![p](https://x.example/p.png) **粗**"
    ).encode()
    import_version(actor=SYSTEM, at=now, files=files)
    notes = client.get(PAGE).content.decode().split('id="notes"')[1].split("</section>")[0]
    assert "<script" not in notes
    assert "<img" not in notes
    assert 'href="javascript' not in notes
    assert "<strong>粗</strong>" in notes
    assert "<h3>标题</h3>" in notes


def test_the_download_is_the_bytes_that_the_page_names(version_id: int, client: Client) -> None:
    page = client.get(PAGE).content.decode()
    address = re.search(r'href="(/methodologies/[^"]+/archive/([0-9a-f]{64}))"', page)
    assert address is not None
    response = client.get(address[1])
    assert hashlib.sha256(response.content).hexdigest() == address[2]
    assert client.get(address[1][:-4] + "0000").status_code == 404


def test_changed_bytes_are_refused_and_not_shown(version_id: int, client: Client) -> None:
    from tests.integration.interfaces.conftest import damage

    damage("update methodology_methodologyversion set archive = archive || '\\x00'")
    address = MethodologyVersion.objects.get(pk=version_id).archive_sha256
    assert "ARCHIVE_CHANGED" in text_of(client.get(f"{PAGE}/archive/{address}"))


@pytest.mark.parametrize("address", ["/methodologies/A03/9.9", "/methodologies/Z99/1.0"])
def test_an_unknown_version_is_not_there(address: str, version_id: int, client: Client) -> None:
    assert client.get(address).status_code == 404


def test_one_archive_that_is_refused_does_not_hide_the_library(version_id: int, client: Client) -> None:
    from tests.integration.interfaces.conftest import damage

    damage("update methodology_methodologyversion set archive = archive || '\\x00'")
    _versions._load.cache_clear()
    text = text_of(client.get("/methodologies"))
    assert "这份归档不能使用，打开可看原因" in text
    assert "ARCHIVE_CHANGED" in text_of(client.get(PAGE))
