"""The deployment files are judged by the programs that will read them, and against the code they start."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tools.working_copy import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("tanpuhui-*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
HARDENING = {
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "SystemCallFilter=@system-service",
    "User=tanpuhui",
}


def settled_units(folder: Path, *, without: str = "") -> list[Path]:
    """Copy the units with the installation's folder moved to one whose programs exist, since their check looks."""
    installed = folder / "opt"
    for program in ("tanpuhui", "python", "granian"):
        path = installed / ".venv" / "bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        if program != without:
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
    copies = []
    for unit in UNITS:
        copy = folder / unit.name
        copy.write_text(
            unit.read_text(encoding="utf-8").replace("/opt/tanpuhui", str(installed)), encoding="utf-8"
        )
        copies.append(copy)
    return copies


def verify(units: list[Path]) -> subprocess.CompletedProcess[str]:
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd-analyze is not installed here")
    command = [analyse, "verify", "--man=no", "--generators=no", *map(str, units)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def about_ours(ended: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in (ended.stdout + ended.stderr).splitlines() if "tanpuhui" in line]


def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    ended = verify(settled_units(tmp_path))
    assert about_ours(ended) == []
    assert ended.returncode == 0, ended.stderr


def test_systemd_would_notice_a_unit_whose_program_is_missing(tmp_path: Path) -> None:
    assert about_ours(verify(settled_units(tmp_path, without="granian"))) != []


def test_systemd_would_notice_an_option_it_does_not_know(tmp_path: Path) -> None:
    units = settled_units(tmp_path)
    units[0].write_text(
        units[0].read_text(encoding="utf-8") + "\n[Service]\nProtectEverything=yes\n", encoding="utf-8"
    )
    assert any("ProtectEverything" in line for line in about_ours(verify(units)))


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_runs_without_rights_it_does_not_need(unit: Path) -> None:
    assert set(unit.read_text(encoding="utf-8").splitlines()) >= HARDENING


def test_only_the_migration_signs_in_as_the_owner_of_the_tables() -> None:
    reading = [unit.name for unit in SERVICES if "owner.env" in unit.read_text(encoding="utf-8")]
    assert reading == ["tanpuhui-migrate.service"]


def test_every_command_a_unit_starts_exists() -> None:
    from tanpuhui.interfaces.commands.main import COMMANDS

    text = "\n".join(unit.read_text(encoding="utf-8") for unit in SERVICES)
    started = set(re.findall(r"/bin/tanpuhui ([\w-]+)", text))
    assert started == {"migrate", "worker", "invariants", "watch-folder"}
    assert started <= set(COMMANDS)


def test_the_example_names_every_variable_that_production_asks_for_and_holds_no_secret() -> None:
    settings = ROOT / "src" / "tanpuhui" / "config" / "settings"
    production = (settings / "production.py").read_text(encoding="utf-8")
    required = set(re.findall(r'_required\(\s*"([A-Z_]+)"', production))
    example = (DEPLOY / "environment" / "app.env.example").read_text(encoding="utf-8")
    named = dict(line.split("=", 1) for line in example.splitlines() if line and not line.startswith("#"))
    assert required
    assert required <= set(named)
    assert named["TANPUHUI_SECRET_KEY"] == ""
    assert named["DATABASE_URL"].startswith("postgresql://tanpuhui_app@")


def test_the_operations_page_explains_every_variable_that_the_code_reads() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    read = set()
    for folder in ("src", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            read |= set(re.findall(r'environ(?:\.get|\.setdefault)?[(\[]\s*"([A-Z_]+)"', text))
    explained = {name for name in read if name.startswith(("TANPUHUI_", "DATABASE_")) and f"`{name}`" in page}
    assert {name for name in read if name.startswith(("TANPUHUI_", "DATABASE_"))} - explained == set()


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tanpuhui.example")])
    today = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today)
        .not_valid_after(today + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def nginx_verdict(folder: Path, site: str) -> subprocess.CompletedProcess[str]:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed here")
    certificate(folder)
    site = site.replace("/etc/tanpuhui/tls", str(folder))
    if not has_ipv6():
        site = "".join(line for line in site.splitlines(keepends=True) if "listen [::]" not in line)
    for port, other in (("80", "18080"), ("443", "18443")):  # an ordinary user may not open the real ones
        site = re.sub(rf"(listen (?:\[::\]:)?){port}\b", rf"\g<1>{other}", site)
    (folder / "site.conf").write_text(site, encoding="utf-8")
    paths = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{paths}"
        f"    access_log {folder}/access.log;\n    include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    command = [nginx, "-t", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    ended = nginx_verdict(tmp_path, (DEPLOY / "nginx" / "tanpuhui.conf").read_text(encoding="utf-8"))
    assert ended.returncode == 0, ended.stderr
    assert "warn" not in ended.stderr


def test_nginx_would_notice_an_unknown_word(tmp_path: Path) -> None:
    site = (DEPLOY / "nginx" / "tanpuhui.conf").read_text(encoding="utf-8")
    ended = nginx_verdict(tmp_path, site.replace("proxy_http_version", "proxy_http_versoin", 1))
    assert ended.returncode != 0
