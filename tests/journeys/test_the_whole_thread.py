"""The whole chain by browser: from a partner's file to a certificate that a stranger checks without us."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, StorageState
from tests.journeys.conftest import ROOT, OpenProvince, Province
from tests.journeys.person import Person

from tanpuhui.behaviour.activity.operations import post_batch, receive_batch
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.interfaces.commands.demonstration.behaviour_generator import csv_lines
from tanpuhui.interfaces.commands.demonstration.rewarding import offer_goods
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.interfaces.commands.demonstration.story import ACTS

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(900)]

FOUNDING_ACTS = 5
WITHOUT_CONSENT = 39
"""The founding lets every fortieth citizen keep their rides to themselves."""
RIDES_DAYS = 9
METRO_KM = "61.3"
METRO_GRAMS = 4413
"""61.3 km × (0.104 − 0.032) kg/km = 4413.6 g, rounded down."""
BUS_GRAMS = 436
"""8.4 km × (0.104 − 0.052) kg/km = 436.8 g, rounded down; 0.8 g remain."""
BUS_RIDES = 4
BUS_POINTS = 2 * (2 * BUS_GRAMS // 10)
"""A tenth of each day's grams, rounded down; two rides on each of two days."""
PRICE_POINTS = 120
BENEFICIARY = "盐田徒步大会（虚构）"
OPINION = "逐项看过，数字与出处一致。"
WITHOUT_US = (
    "import sys\n"
    "for name in ('django', 'psycopg', 'duckdb'): sys.modules[name] = None\n"
    "from tanpuhui.interfaces.commands.main import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
"""Runs a command of ours in a process in which neither Django nor a database driver can be imported."""


def month_before(today: date) -> Month:
    return Month.of(today.replace(day=1) - timedelta(days=1))


def metro_riders() -> list[int]:
    return [number for number in range(1, 120) if number % 40 != WITHOUT_CONSENT]


def ride(stage: Stage, *, scenario: str, citizen: int, started: datetime, km: str) -> dict[str, str]:
    return {
        "record_id": f"{scenario}-{started:%Y%m%d%H%M}-{citizen}",
        "subject": stage.citizens[citizen].subject,
        "scenario": scenario,
        "started_at": started.isoformat(),
        "ended_at": (started + timedelta(minutes=40)).isoformat(),
        "area": stage.citizens[citizen].area,
        "distance_km": km,
        "duration_s": "2400",
        "vehicle_type": "",
        "line": "K115",
        "from_place": "east-gate",
        "to_place": "stadium",
    }


def play(stage: Stage) -> None:
    """Found the province, list the goods, and post a month of metro rides that pools to four tonnes."""
    for act in ACTS[:FOUNDING_ACTS]:
        act.play(stage)
    offer_goods(stage)
    first = month_before(stage.today).first_day
    rows = [
        ride(stage, scenario="metro", citizen=citizen, started=stage.moment(first + timedelta(days=day), 8), km=METRO_KM)
        for day in range(RIDES_DAYS)
        for citizen in metro_riders()
    ]  # fmt: skip
    at = stage.moment(first + timedelta(days=RIDES_DAYS + 1))
    received = receive_batch(
        actor=stage.actor(stage.player("metro-partner"), at),
        at=at,
        idempotency_key=stage.key("metro month"),
        partner_id=stage.organisation_ids["metro-partner"],
        adapter="standard",
        file_name="metro.csv",
        media_type="text/csv",
        content="".join(csv_lines(rows)).encode(),
    )
    post_batch(actor=SYSTEM, at=at + timedelta(minutes=1), batch_id=received.batch_id)


def bus_file(stage: Stage) -> tuple[bytes, int]:
    """Return a CSV with four good rides of the first citizen among rows that are wrong each in its own way."""
    day = stage.today - timedelta(days=2)

    def bus(hour: int, *, days: int = 0, citizen: int = 0, **changed: str) -> dict[str, str]:
        at = stage.moment(day + timedelta(days=days), hour)
        return ride(stage, scenario="bus", citizen=citizen, started=at, km="8.4") | changed

    good = [bus(7), bus(18), bus(7, days=1), bus(18, days=1)]
    wrong = [
        bus(7),
        bus(9, distance_km="-8.4"),
        bus(10, distance_km="=1+1"),
        bus(11, distance_km="六公里"),
        bus(12, started_at="昨天"),
        bus(13, subject="card-of-nobody"),
        bus(14, days=400),
        bus(15, days=-45),
        bus(16, area="000001"),
        bus(17, citizen=WITHOUT_CONSENT),
    ]
    rows = [*good, *wrong]
    return "".join(csv_lines(rows)).encode(), len(rows)


def worker(province: Province) -> None:
    """Let the worker do what waits, as a process of its own, and end."""
    ran = subprocess.run(
        [sys.executable, "-m", "tanpuhui.interfaces.commands.main", "worker", "--one-shot"],
        cwd=ROOT,
        env=province.environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def verify_offline(certificate: Path, keys: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_US, "verify", str(certificate), "--keys", str(keys), "--lang", "en"],
        cwd=certificate.parent,
        env={"PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_chain_is_walked_from_a_file_to_a_certificate(
    browser: Browser, open_province: OpenProvince, tmp_path: Path
) -> None:
    with open_province(play) as province:
        partner_sends_a_file(browser, province)
        code, session = citizen_reads_and_redeems(browser, province)
        merchant_honours_once(browser, province, code)
        maker_pools_the_month(browser, province)
        report_becomes_units(browser, province)
        owner_transfers(browser, province)
        number = buyer_accepts_and_retires(browser, province)
        stranger_checks(browser, province, number, tmp_path)
        citizen_sees_the_coupon_used(browser, province, code, session)


def partner_sends_a_file(browser: Browser, province: Province) -> None:
    content, rows = bus_file(province.stage)
    with Person(browser, province, "partner") as partner:
        partner.sign_in("hh.gongjiao")
        partner.shot("01-partner-desk")
        partner.open("/w/batches/send")
        partner.shot("02-partner-sends")
        partner.page.locator("input[type=file]").set_input_files(
            {"name": "bus-untidy.csv", "mimeType": "text/csv", "buffer": content}
        )
        partner.page.get_by_role("button", name="上传文件").click()
        partner.page.wait_for_url(re.compile(r"/w/batches/\d+$"))
        partner.reads("文件已经存档")
        partner.shot("03-partner-waits")
        worker(province)
        # The page asks by itself while it waits.
        partner.page.get_by_text("各项相加等于行数").wait_for()
        total, *parts = (
            int(text.split()[0].replace(",", ""))
            for text in partner.page.locator(".report .eq > p > span:not(.op)").all_inner_texts()
        )
        assert total == rows
        assert sum(parts) == total
        assert parts[0] == BUS_RIDES, "counted"
        said = partner.reads("1,744")
        assert len(partner.page.locator("dl.why dt").all()) >= 6, said
        partner.shot("04-partner-report")
        partner.open("/w/batches")
        partner.reads("bus-untidy.csv", str(rows))
        partner.shot("05-partner-batches")


def citizen_reads_and_redeems(browser: Browser, province: Province) -> tuple[str, StorageState]:
    with Person(browser, province, "citizen", phone=True) as citizen:
        citizen.open("/")
        citizen.shot("10-portal-home")
        citizen.open("/sign-in")
        citizen.shot("11-sign-in")
        citizen.sign_in_by_phone(province.stage.citizens[0].phone)
        home = citizen.reads("436")
        assert home.count("436") >= BUS_RIDES, home
        citizen.shot("12-citizen-home")
        month = Month.of(province.stage.today - timedelta(days=1))
        citizen.open(f"/m/records?month={month}")
        citizen.reads("与账本一致")
        citizen.shot("13-citizen-records")
        citizen.page.locator("a.rec[href*='/m/records/']").first.click()
        citizen.page.wait_for_url(re.compile(r"/m/records/\d+/\d+"))
        citizen.reads(f"这 {BUS_GRAMS} g 怎么来的", "8.4", "0.104", "0.052", str(BUS_GRAMS), "0.8")
        citizen.shot("14-citizen-why")
        withdraws_and_consents_again(citizen)
        return redeems(citizen, province), citizen.context.storage_state()


def withdraws_and_consents_again(citizen: Person) -> None:
    citizen.open("/m/scenes")
    citizen.shot("15-citizen-scenes")
    citizen.open("/m/scenes/metro")
    citizen.reads("已授权")
    citizen.shot("16-citizen-scene")
    citizen.press("撤回授权")
    citizen.shot("17-citizen-withdraws")
    citizen.press("撤回“轨道”的授权")
    citizen.open("/m/scenes/metro")
    citizen.reads("已撤回授权")
    citizen.shot("18-citizen-without-consent")
    citizen.press("同意，授权“轨道”")
    citizen.open("/m/scenes/metro")
    citizen.reads("起的记录计入你的碳账户")


def redeems(citizen: Person, province: Province) -> str:
    """Redeem points for a coupon and return its digits."""
    citizen.open("/m/mall")
    citizen.reads(f"{BUS_POINTS} 分")
    citizen.shot("20-citizen-mall")
    citizen.page.locator("a.rec[href*='/m/mall/']").first.click()
    citizen.page.wait_for_url(re.compile(r"/m/mall/\d+$"))
    citizen.shot("21-citizen-good")
    citizen.press(f"兑换，用 {PRICE_POINTS}")
    citizen.shot("22-citizen-redeems")
    citizen.press(f"确认兑换，用 {PRICE_POINTS}")
    citizen.page.wait_for_url(re.compile(r"/m/coupons/\d+"))
    qr = citizen.page.locator("svg.qr").bounding_box()
    assert qr is not None
    assert qr["width"] >= 120, "large enough to be scanned"
    code = re.sub(r"\D", "", citizen.page.locator(".tk-code").inner_text())
    assert len(code) == 12
    citizen.shot("23-citizen-ticket")
    citizen.open("/m/coupons")
    citizen.shot("24-citizen-coupons")
    citizen.open("/m/mall")
    citizen.reads(f"{BUS_POINTS - PRICE_POINTS} 分")
    citizen.open("/m/me")
    citizen.shot("25-citizen-me")
    return code


def citizen_sees_the_coupon_used(
    browser: Browser, province: Province, code: str, session: StorageState
) -> None:
    # Still signed in: a second code within the minute is refused, and a fast machine is here within the minute.
    with Person(browser, province, "citizen again", phone=True, session=session) as citizen:
        citizen.open(f"/m/coupons/{code}")
        citizen.reads("这张券已核销，不能再用")
        citizen.shot("80-citizen-used-ticket")


def merchant_honours_once(browser: Browser, province: Province, code: str) -> None:
    with Person(browser, province, "merchant") as merchant:
        merchant.open(f"/r/{code}")
        merchant.reads("这里看不到券的内容")
        merchant.shot("30-code-of-a-stranger")
        merchant.sign_in("hh.shanghu")
        # Where the QR code leads a clerk.
        merchant.open(f"/r/{code}")
        merchant.page.wait_for_url("**/w/shop?**")
        merchant.reads("热茶一杯")
        merchant.shot("31-till-shows-the-coupon")
        second_till = merchant.context.new_page()
        second_till.goto(f"/w/shop?code={code}")
        merchant.page.locator("input[name=place]").fill("一号柜台")
        merchant.press("核销")
        merchant.page.wait_for_url("**/w/shop/*")
        merchant.reads("已核销", "热茶一杯", "一号柜台")
        (line,) = merchant.page.locator(".day li").all_inner_texts()
        assert "8.00" in line
        merchant.shot("32-till-honoured")
        with merchant.expecting(409), second_till.expect_navigation():
            second_till.locator("main form[method=post] button[type=submit]").click()
        refused = " ".join(second_till.locator("main").inner_text().split())
        assert "COUPON_USED" in refused
        assert "一号柜台" in refused
        assert second_till.locator(".said").is_visible(), refused
        second_till.screenshot(
            path=ROOT / "test-output" / "journeys" / "33-till-refuses-desktop.png", caret="initial"
        )
        second_till.close()
        merchant.open(f"/w/shop?code={code}")
        assert not merchant.page.locator("form[action='/w/shop'][method=post]").count()
        merchant.open("/w/sheets")
        merchant.shot("34-merchant-sheets")
        merchant.reads("还没有结算 1 张", "面值合计 8.00 元")
        merchant.open("/w/goods")
        assert "99" in merchant.page.locator("main tr", has_text="热茶一杯").inner_text().split()
        merchant.shot("36-merchant-goods")


def maker_pools_the_month(browser: Browser, province: Province) -> None:
    month = month_before(province.stage.today)
    grams = METRO_GRAMS * RIDES_DAYS * len(metro_riders())
    tonnes, rest = divmod(grams, 1_000_000)
    assert tonnes >= 3
    with Person(browser, province, "maker") as maker:
        maker.sign_in("hh.jingban")
        maker.shot("40-maker-inbox")
        maker.open("/w/pools")
        maker.shot("41-maker-no-pools")
        maker.press("归集一个月")
        maker.page.locator("[name=scenario]").select_option("metro")
        maker.page.locator("[name=month]").fill(str(month))
        maker.shot("42-maker-pools")
        maker.press("归集这个月")
        maker.page.wait_for_url("**/w/pools")
        maker.reads(f"{tonnes} t", f"{grams:,}", f"{rest:,}")
        maker.shot("43-maker-pooled")
        maker.press("归集入项目")
        maker.shot("44-maker-sweeps")
        maker.press("建立监测报告")
        maker.page.wait_for_url("**/w/cases/*")
        maker.reads(f"{grams:,}", f"{rest:,}")
        maker.shot("45-case-opened")


def decide(person: Person, decision: str, picture: str) -> None:
    """Take the first case of the inbox, decide it with an opinion, and see it written into its history."""
    person.open("/w/")
    person.shot(f"{picture}-inbox")
    person.page.locator("a.go").first.click()
    person.page.wait_for_url("**/w/cases/*")
    person.page.locator(f"input[name=decision][value={decision}] + span").click()
    person.page.locator("textarea[name=opinion]").fill(OPINION)
    person.shot(f"{picture}-case")
    person.press("签名并提交")
    person.reads("已提交", OPINION)
    person.shot(f"{picture}-decided")


def report_becomes_units(browser: Browser, province: Province) -> None:
    with Person(browser, province, "owner") as owner:
        owner.sign_in("hh.yezhu")
        decide(owner, "submit", "50-owner")
    with Person(browser, province, "verifier") as verifier:
        verifier.sign_in("hh.hecha")
        decide(verifier, "verify", "51-verifier")
    with Person(browser, province, "maker") as maker:
        maker.sign_in("hh.jingban")
        decide(maker, "prepare", "52-maker")
        refused_to_check_own_work(maker)
    with Person(browser, province, "checker") as checker:
        checker.sign_in("hh.fuhe")
        decide(checker, "issue", "53-checker")
        checker.open("/w/issuances")
        checker.reads("HH99-P0001-")
        checker.shot("54-registry")
        checker.open("/w/audit")
        checker.shot("55-audit")


def refused_to_check_own_work(maker: Person) -> None:
    """See that the maker is not offered the checker's decision, and is refused when sending it all the same."""
    assert not maker.page.locator("input[name=decision]").count()
    token = next(c["value"] for c in maker.context.cookies() if c["name"] == "csrftoken")
    answer = maker.context.request.post(
        maker.page.url.partition("?")[0],
        form={
            "csrfmiddlewaretoken": token,
            "idempotency_key": "the maker tries to check",
            "seen_step": "3",
            "decision": "issue",
            "opinion": OPINION,
        },
        headers={"Referer": maker.page.url},
    )
    assert 400 <= answer.status < 500
    assert "NOT_YOUR_DECISION" in answer.text()
    maker.page.reload()
    assert "HH99-P0001-" not in maker.reads("拟签")


def owner_transfers(browser: Browser, province: Province) -> None:
    with Person(browser, province, "owner") as owner:
        owner.sign_in("hh.yezhu")
        owner.open("/w/holdings")
        owner.reads("HH99-P0001-")
        owner.shot("60-owner-holding")
        owner.press("转让")
        owner.page.locator("[name=target_id]").select_option(str(province.stage.organisation_ids["buyer"]))
        owner.page.locator("[name=quantity]").fill("2")
        owner.shot("61-owner-offers")
        owner.press("发出转让")
        owner.page.wait_for_url(re.compile(r"/w/holdings/\d+$"))
        owner.reads("等待受让方答复")
        owner.shot("62-owner-offered")


def buyer_accepts_and_retires(browser: Browser, province: Province) -> str:
    """Accept, retire with beneficiary, purpose and typed confirmation; return the certificate's number."""
    with Person(browser, province, "buyer") as buyer:
        buyer.sign_in("hh.goumai")
        buyer.open("/w/holdings")
        buyer.shot("63-buyer-is-offered")
        buyer.press("接受 2 t")
        buyer.reads("已接受转让")
        buyer.shot("64-buyer-holds")
        buyer.press("消纳")
        buyer.page.locator("[name=quantity]").fill("1")
        buyer.page.locator("[name=beneficiary_kind]").select_option("event")
        buyer.page.locator("[name=beneficiary_name]").fill(BENEFICIARY)
        buyer.page.locator("[name=purpose]").select_option("event_neutrality")
        buyer.page.locator("[name=purpose_text]").fill("大型活动碳中和（虚构）")
        buyer.page.locator("[name=confirmed]").fill("2")
        with buyer.expecting(422):
            buyer.press("消纳，不能撤回")
            buyer.reads("这里输入的是 2。")
        buyer.shot("65-buyer-mistyped")
        buyer.page.locator("[name=confirmed]").fill("1")
        buyer.press("消纳，不能撤回")
        buyer.page.wait_for_url("**/w/certificates")
        said = buyer.reads("已消纳 1 t", BENEFICIARY)
        buyer.shot("66-buyer-certificates")
        found = re.search(r"HH99-RET-\d{4}-[\w-]+", said)
        assert found is not None, said
        return found[0]


def stranger_checks(browser: Browser, province: Province, number: str, folder: Path) -> None:
    with Person(browser, province, "stranger") as stranger:
        stranger.open(f"/c/{number}")
        stranger.reads("证明待生成")
        stranger.shot("70-certificate-pending")
        sequence_leaves(at=timezone.now())
        stranger.page.reload()
        stranger.reads("证书有效", BENEFICIARY, "盐田徒步组委会（虚构）")
        stranger.shot("71-certificate-valid")
        files = {
            name: downloaded(stranger, address, folder / name)
            for name, address in (
                ("certificate.json", f"/c/{number}.json"),
                ("keys.json", "/keys"),
                ("certificate.pdf", f"/c/{number}.pdf"),
            )
        }
        assert files["certificate.pdf"].read_bytes().startswith(b"%PDF")
        accepted = verify_offline(files["certificate.json"], files["keys.json"])
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr
        assert "VALID as of head" in accepted.stdout
        assert BENEFICIARY in accepted.stdout
        told = files["certificate.json"].read_bytes()
        forged = folder / "forged.json"
        forged.write_bytes(told.replace("盐田徒步大会".encode(), "北港徒步大会".encode()))
        assert forged.read_bytes() != told
        refused = verify_offline(forged, files["keys.json"])
        assert refused.returncode == 1, refused.stdout + refused.stderr
        uploads(stranger, files["certificate.json"], "文件有效", "72-file-accepted")
        uploads(stranger, forged, "文件不能认可", "73-file-refused")
        for name, address in (
            ("74-register", "/register"),
            ("75-log", "/log/"),
            ("76-keys", "/keys/about"),
            ("77-methodologies", "/methodologies"),
            ("78-methodology", "/methodologies/A02/1.0"),
        ):
            stranger.open(address)
            stranger.shot(name)


def downloaded(person: Person, address: str, path: Path) -> Path:
    """Fetch a file as the browser does, with the person's cookies, and keep it."""
    answer = person.context.request.get(urljoin(person.province.url, address))
    assert answer.status == 200, f"{address}: {answer.status} {answer.text()[:300]}"
    path.write_bytes(answer.body())
    return path


def uploads(person: Person, file: Path, verdict: str, picture: str) -> None:
    person.open("/verify")
    person.page.locator("input[type=file]").set_input_files(file)
    person.control("核对文件").click()
    person.page.get_by_text(verdict).first.wait_for()
    person.shot(picture)
