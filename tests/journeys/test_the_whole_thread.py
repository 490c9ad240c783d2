"""The whole chain by browser on what `make demo` starts: from a partner's file to a certificate checked without us."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, StorageState
from pypdf import PdfReader
from tests.journeys.demonstration import Demonstration, demonstrated
from tests.journeys.person import PICTURES, Person

from tanpuhui.foundation.kernel.calendar import CHINA, Month
from tanpuhui.interfaces.commands.demonstration.behaviour_generator import csv_lines

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(900)]

CITIZEN = "19900000001"
CARD = "card-0000001"
"""How every partner of the demonstration knows the citizen whose phone is printed."""
CARD_WITHOUT_CONSENT = "card-0000040"
"""Every fortieth citizen keeps their rides to themselves."""
AREA = "370100"
SCENARIO = "bike"
"""The seed leaves the last full month of its last project to be pooled by hand."""
PROJECT = "P0003"
RIDE_KM = "12.7"
RIDE_GRAMS = 1210
"""12.7 km × (0.104 − 0.0087) kg/km = 1210.31 g, rounded down; no ride of the seed is as long."""
RIDE_POINTS = RIDE_GRAMS // 5
SERIAL = re.compile(rf"\w+-{PROJECT}-\d{{4}}-[\w-]+")
GOOD = "热茶一杯"
PRICE_POINTS = 120
BUYER = "河口湿地徒步大会组委会（演示）"
BENEFICIARY = "大明湖环湖骑行日（演示）"
FORGED_BENEFICIARY = "千佛山环山骑行日（演示）"
OPINION = "逐项看过，数字与出处一致。"
WITHOUT_US = (
    "import sys\n"
    "for name in ('django', 'psycopg', 'duckdb'): sys.modules[name] = None\n"
    "from tanpuhui.interfaces.commands.main import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
"""Runs a command of ours in a process in which neither Django nor a database driver can be imported."""
SEALED_WITHIN_S = 60
"""The worker seals the log every second; a busy machine takes longer."""


def month_before(today: date) -> Month:
    return Month.of(today.replace(day=1) - timedelta(days=1))


def days_of_good_rides(today: date) -> set[date]:
    """Return three days, the last of the month that is pooled later among them while a ride of it is not too late."""
    late = month_before(today).last_day
    days = {today - timedelta(days=number) for number in (1, 2, 3)}
    return days | {late} if late >= today - timedelta(days=30) else days


def ride(day: date, hour: int, *, card: str = CARD, **changed: str) -> dict[str, str]:
    started = datetime(day.year, day.month, day.day, hour, 15, tzinfo=CHINA)
    return {
        "record_id": f"walk-{started:%Y%m%d%H%M}-{card}",
        "subject": card,
        "scenario": SCENARIO,
        "started_at": started.isoformat(),
        "ended_at": (started + timedelta(minutes=50)).isoformat(),
        "area": AREA,
        "distance_km": RIDE_KM,
        "duration_s": "3000",
        "vehicle_type": "bike",
        "line": "",
        "from_place": "east-gate",
        "to_place": "stadium",
    } | changed


def untidy_file(today: date) -> tuple[bytes, int]:
    """Return a CSV with one good ride on each of some days, among rows that are wrong each in its own way."""
    day = today - timedelta(days=1)
    rows = [
        *(ride(one, 15) for one in sorted(days_of_good_rides(today))),
        ride(day, 15),
        ride(day, 9, distance_km="-12.7"),
        ride(day, 10, distance_km="=1+1"),
        ride(day, 11, distance_km="六公里"),
        ride(day, 12, started_at="昨天"),
        ride(day, 13, card="card-of-nobody"),
        ride(day + timedelta(days=400), 14),
        ride(day - timedelta(days=45), 14),
        ride(day, 16, area="000001"),
        ride(day, 17, card=CARD_WITHOUT_CONSENT),
        ride(day, 19, duration_s="600"),
    ]
    return "".join(csv_lines(rows)).encode(), len(rows)


def number_in(words: str, pattern: str) -> int:
    """Return the number that the pattern's group finds."""
    found = re.search(pattern, words)
    assert found is not None, words
    return int(found[1].replace(",", ""))


def row_of(person: Person, *words: str) -> Locator:
    """Return the only row of a table that says all these words in its cells; a tab ends a cell."""
    rows = person.page.locator("main tr")
    said = [f"{text}\t" for text in rows.all_inner_texts()]
    found = [place for place, text in enumerate(said) if all(one in text for one in words)]
    assert len(found) == 1, f"{words}: {said}"
    return rows.nth(found[0])


def choose(person: Person, field: str, words: str) -> None:
    """Choose the option of a field that says these words."""
    option = person.page.locator(f"[name={field}] option", has_text=words)
    person.page.locator(f"[name={field}]").select_option(option.get_attribute("value"))


def verify_offline(place: Demonstration, certificate: Path, keys: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(place.clone / ".venv" / "bin" / "python"),
            *("-c", WITHOUT_US, "verify", str(certificate), "--keys", str(keys), "--lang", "en"),
        ],
        cwd=certificate.parent,
        env={"PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_chain_is_walked_from_a_file_to_a_certificate_on_a_fresh_clones_demonstration(
    browser: Browser, tmp_path: Path
) -> None:
    with demonstrated() as place:
        partner_sends_a_file(browser, place)
        code, session = citizen_reads_and_redeems(browser, place)
        merchant_honours_once(browser, place, code)
        case = maker_pools_the_month(browser, place)
        serial = report_becomes_units(browser, place, case)
        owner_transfers(browser, place, serial)
        number = buyer_accepts_and_retires(browser, place, serial)
        stranger_checks(browser, place, number, tmp_path)
        citizen_sees_the_coupon_used(browser, place, code, session)
        held = place.command("invariants")
        assert held.returncode == 0, held.stdout + held.stderr
        ctrl_c_ends_everything(place)
        # Nothing of ours answers any more: the files and the published key are all there is.
        holds_without_us(place, tmp_path)


def ctrl_c_ends_everything(place: Demonstration) -> None:
    running = " ".join(place.processes().values())
    assert all(part in running for part in ("granian", "main worker", "postgres")), running
    place.stop()
    assert place.processes() == {}
    assert not place.listens()


def partner_sends_a_file(browser: Browser, place: Demonstration) -> None:
    content, rows = untidy_file(place.today)
    good = len(days_of_good_rides(place.today))
    with Person(browser, place, "partner") as partner:
        partner.sign_in("danche")
        partner.shot("01-partner-desk")
        partner.open("/w/batches/send")
        partner.shot("02-partner-sends")
        partner.page.locator("input[type=file]").set_input_files(
            {"name": "bike-untidy.csv", "mimeType": "text/csv", "buffer": content}
        )
        partner.page.get_by_role("button", name="上传文件").click()
        partner.page.wait_for_url(re.compile(r"/w/batches/\d+$"))
        # A quick worker may have posted the file before the page is drawn.
        partner.page.get_by_text(re.compile("文件已经存档|各项相加等于行数")).first.wait_for()
        partner.shot("03-partner-waits")
        # The worker takes the file, and the page asks by itself while it waits.
        partner.page.get_by_text("各项相加等于行数").wait_for()
        total, *parts = (
            int(text.split()[0].replace(",", ""))
            for text in partner.page.locator(".report .eq > p > span:not(.op)").all_inner_texts()
        )
        assert total == rows
        assert sum(parts) == total
        assert parts[0] == good, "counted"
        said = partner.reads(f"{good * RIDE_GRAMS:,}")
        assert len(partner.page.locator("dl.why dt").all()) >= 6, said
        partner.shot("04-partner-report")
        partner.open("/w/batches")
        partner.reads("bike-untidy.csv", str(rows))
        partner.shot("05-partner-batches")


def citizen_reads_and_redeems(browser: Browser, place: Demonstration) -> tuple[str, StorageState]:
    with Person(browser, place, "citizen", phone=True) as citizen:
        citizen.open("/")
        citizen.shot("10-portal-home")
        citizen.open("/sign-in")
        citizen.shot("11-sign-in")
        citizen.sign_in_by_phone(CITIZEN)
        citizen.shot("12-citizen-home")
        rides = []
        days = days_of_good_rides(place.today)
        for month in sorted({Month.of(day) for day in days}):
            citizen.open(f"/m/records?month={month}")
            citizen.reads("与账本一致")
            rides += citizen.page.locator("a.rec", has_text=f"{RIDE_GRAMS:,} g").all_inner_texts()
        assert len(rides) == len(days), rides
        citizen.shot("13-citizen-records")
        citizen.page.locator("a.rec", has_text=f"{RIDE_GRAMS:,} g").first.click()
        citizen.page.wait_for_url(re.compile(r"/m/records/\d+/\d+"))
        citizen.reads(
            f"这 {RIDE_GRAMS:,} g 怎么来的", RIDE_KM, "0.104", "0.0087", "0.31", f"{RIDE_POINTS} 分"
        )
        citizen.shot("14-citizen-why")
        withdraws_and_consents_again(citizen)
        return redeems(citizen), citizen.context.storage_state()


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


def redeems(citizen: Person) -> str:
    """Redeem points for a coupon and return its digits."""
    citizen.open("/m/mall")
    points = number_in(citizen.reads(GOOD), r"现有积分 ([\d,]+) 分")
    citizen.shot("20-citizen-mall")
    citizen.page.locator("a.rec[href*='/m/mall/']", has_text=GOOD).click()
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
    citizen.reads(f"现有积分 {points - PRICE_POINTS:,} 分")
    citizen.open("/m/me")
    citizen.shot("25-citizen-me")
    return code


def citizen_sees_the_coupon_used(
    browser: Browser, place: Demonstration, code: str, session: StorageState
) -> None:
    # Still signed in: a second code within the minute is refused, and a fast machine is here within the minute.
    with Person(browser, place, "citizen again", phone=True, session=session) as citizen:
        citizen.open(f"/m/coupons/{code}")
        citizen.reads("这张券已核销，不能再用")
        citizen.shot("80-citizen-used-ticket")


def merchant_honours_once(browser: Browser, place: Demonstration, code: str) -> None:
    with Person(browser, place, "merchant") as merchant:
        merchant.open(f"/r/{code}")
        merchant.reads("这里看不到券的内容")
        merchant.shot("30-code-of-a-stranger")
        merchant.sign_in("chashe")
        open_before, value_before = unsettled(merchant)
        # Where the QR code leads a clerk.
        merchant.open(f"/r/{code}")
        merchant.page.wait_for_url("**/w/shop?**")
        merchant.reads(GOOD)
        merchant.shot("31-till-shows-the-coupon")
        second_till = merchant.context.new_page()
        second_till.goto(f"/w/shop?code={code}")
        merchant.page.locator("input[name=place]").fill("一号柜台")
        merchant.press("核销")
        merchant.page.wait_for_url("**/w/shop/*")
        merchant.reads("已核销", GOOD, "一号柜台")
        (line,) = merchant.page.locator(".day li").all_inner_texts()
        assert "8.00" in line
        merchant.shot("32-till-honoured")
        with merchant.expecting(409), second_till.expect_navigation():
            second_till.locator("main form[method=post] button[type=submit]").click()
        refused = " ".join(second_till.locator("main").inner_text().split())
        assert "COUPON_USED" in refused
        assert "一号柜台" in refused
        assert second_till.locator(".said").is_visible(), refused
        second_till.screenshot(path=PICTURES / "33-till-refuses-desktop.png", caret="initial")
        second_till.close()
        merchant.open(f"/w/shop?code={code}")
        assert not merchant.page.locator("form[action='/w/shop'][method=post]").count()
        assert unsettled(merchant) == (open_before + 1, value_before + 8)
        merchant.shot("34-merchant-sheets")
        merchant.open("/w/goods")
        merchant.shot("36-merchant-goods")


def unsettled(merchant: Person) -> tuple[int, Decimal]:
    """Return how many honoured coupons wait for a settlement, and what they are worth in yuan."""
    merchant.open("/w/sheets")
    said = merchant.reads("还没有结算")
    worth = re.search(r"面值合计 ([\d,.]+) 元", said)
    assert worth is not None, said
    return number_in(said, r"还没有结算 ([\d,]+) 张"), Decimal(worth[1].replace(",", ""))


def maker_pools_the_month(browser: Browser, place: Demonstration) -> str:
    """Pool the month that the seed has left, make it a monitoring report, and return the number of its case."""
    month = str(month_before(place.today))
    with Person(browser, place, "maker") as maker:
        maker.sign_in("zhongxin.jingban")
        maker.shot("40-maker-inbox")
        maker.open("/w/pools")
        maker.shot("41-maker-pools-so-far")
        maker.press("归集一个月")
        maker.page.locator("[name=scenario]").select_option(SCENARIO)
        assert maker.page.locator("[name=month]").input_value() == month
        maker.shot("42-maker-pools")
        maker.press("归集这个月")
        maker.page.wait_for_url("**/w/pools")
        pool = row_of(maker, "骑行", f"{month}\t")
        cells = [cell.replace(",", "") for cell in pool.locator("td").all_inner_texts()]
        grams, carried_in, tonnes, rest = (int(cell) for cell in cells[2:6])
        assert grams + carried_in == tonnes * 1_000_000 + rest
        assert tonnes >= 1
        maker.reads(f"已归集 {month}：{tonnes} t")
        maker.shot("43-maker-pooled")
        with maker.page.expect_navigation():
            pool.get_by_role("link", name="归集入项目").click()
        maker.shot("44-maker-sweeps")
        maker.press("建立监测报告")
        maker.page.wait_for_url("**/w/cases/*")
        said = maker.reads(f"{grams:,}", f"{carried_in:,}", f"{rest:,}")
        maker.shot("45-case-opened")
        found = re.search(r"办件 (\S+-ISSUANCE-\d{4}-\d+)", said)
        assert found is not None, said
        return found[1]


def decide(person: Person, case: str, decision: str, picture: str) -> None:
    """Take the case from the inbox, decide it with an opinion, and see it written into its history."""
    person.open("/w/")
    person.shot(f"{picture}-inbox")
    row_of(person, case).locator("a.go").click()
    person.page.wait_for_url("**/w/cases/*")
    person.page.locator(f"input[name=decision][value={decision}] + span").click()
    person.page.locator("textarea[name=opinion]").fill(OPINION)
    person.shot(f"{picture}-case")
    person.press("签名并提交")
    person.reads("已提交", OPINION)
    person.shot(f"{picture}-decided")


def report_becomes_units(browser: Browser, place: Demonstration, case: str) -> str:
    """Carry the case from its owner to its issuance, and return the serial of what was issued."""
    with Person(browser, place, "owner") as owner:
        owner.sign_in("chuxing")
        decide(owner, case, "submit", "50-owner")
    with Person(browser, place, "verifier") as verifier:
        verifier.sign_in("hecha")
        decide(verifier, case, "verify", "51-verifier")
    with Person(browser, place, "maker") as maker:
        maker.sign_in("zhongxin.jingban")
        decide(maker, case, "prepare", "52-maker")
        refused_to_check_own_work(maker)
    with Person(browser, place, "checker") as checker:
        checker.sign_in("zhongxin.fuhe")
        decide(checker, case, "issue", "53-checker")
        number = urlsplit(checker.page.url).path.rpartition("/")[2]
        checker.open("/w/issuances")
        found = re.search(SERIAL, checker.reads())
        assert found is not None
        checker.shot("54-registry")
        checker.open(f"/w/audit?subject=case:{number}")
        checker.reads("workflow.open_case", "workflow.decide")
        checker.shot("55-audit")
        return found[0]


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
    assert re.search(SERIAL, maker.reads("拟签")) is None


def owner_transfers(browser: Browser, place: Demonstration, serial: str) -> None:
    with Person(browser, place, "owner") as owner:
        owner.sign_in("chuxing")
        owner.open("/w/holdings")
        owner.reads(serial)
        owner.shot("60-owner-holding")
        owner.press("转让")
        choose(owner, "issuance_id", serial)
        choose(owner, "target_id", BUYER)
        owner.page.locator("[name=quantity]").fill("1")
        owner.shot("61-owner-offers")
        owner.press("发出转让")
        owner.page.wait_for_url(re.compile(r"/w/holdings/\d+$"))
        owner.reads("等待受让方答复")
        owner.shot("62-owner-offered")


def buyer_accepts_and_retires(browser: Browser, place: Demonstration, serial: str) -> str:
    """Accept, retire with beneficiary, purpose and typed confirmation; return the certificate's number."""
    with Person(browser, place, "buyer") as buyer:
        buyer.sign_in("goumai")
        buyer.open("/w/holdings")
        buyer.shot("63-buyer-is-offered")
        with buyer.page.expect_navigation():
            row_of(buyer, "接受 1 t", f"-{PROJECT}-").get_by_role("button", name="接受").click()
        buyer.reads("已接受转让")
        buyer.shot("64-buyer-holds")
        buyer.press("消纳")
        choose(buyer, "issuance_id", f"-{PROJECT}-")
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
        found = re.search(r"\w+-RET-\d{4}-[\w-]+", row_of(buyer, BENEFICIARY).inner_text())
        assert found is not None, said
        return found[0]


def stranger_checks(browser: Browser, place: Demonstration, number: str, folder: Path) -> None:
    with Person(browser, place, "stranger") as stranger:
        stranger.open(f"/c/{number}")
        deadline = time.monotonic() + SEALED_WITHIN_S
        while "证明待生成" in stranger.reads(number):
            assert time.monotonic() < deadline, "the log was not sealed"
            stranger.page.wait_for_timeout(500)
            stranger.page.reload()
        stranger.reads("证书有效", BENEFICIARY, BUYER)
        stranger.shot("71-certificate-valid")
        files = {
            name: downloaded(stranger, address, folder / name)
            for name, address in (
                ("certificate.json", f"/c/{number}.json"),
                ("keys.json", "/keys"),
                ("certificate.pdf", f"/c/{number}.pdf"),
            )
        }
        printed = "".join(page.extract_text() for page in PdfReader(files["certificate.pdf"]).pages)
        assert number in printed
        assert BENEFICIARY in printed
        told = files["certificate.json"].read_bytes()
        forged = folder / "forged.json"
        forged.write_bytes(told.replace(BENEFICIARY.encode(), FORGED_BENEFICIARY.encode()))
        assert forged.read_bytes() != told
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
    answer = person.context.request.get(urljoin(person.place.url, address))
    assert answer.status == 200, f"{address}: {answer.status} {answer.text()[:300]}"
    path.write_bytes(answer.body())
    return path


def uploads(person: Person, file: Path, verdict: str, picture: str) -> None:
    person.open("/verify")
    person.page.locator("input[type=file]").set_input_files(file)
    person.control("核对文件").click()
    person.page.get_by_text(verdict).first.wait_for()
    person.shot(picture)


def holds_without_us(place: Demonstration, folder: Path) -> None:
    """Verify the certificate with the published key alone, and see a changed one refused."""
    accepted = verify_offline(place, folder / "certificate.json", folder / "keys.json")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert "VALID as of head" in accepted.stdout
    assert BENEFICIARY in accepted.stdout
    refused = verify_offline(place, folder / "forged.json", folder / "keys.json")
    assert refused.returncode == 1, refused.stdout + refused.stderr
