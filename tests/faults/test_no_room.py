"""The disk is full: nothing is half written, it is said by name, and everything goes on once there is room."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.province import Province
from tests.faults.test_killed_at_random import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fault,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[None]:
    """Lay a disk of a few megabytes over a folder, owned as the folder above it; skip where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    owner = place.parent.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def post(port: int, key: str, body: bytes, under: str) -> tuple[int, bytes]:
    headers = {
        "Authorization": f"Bearer {key}",
        "Idempotency-Key": under,
        "X-File-Name": "a.csv",
        "Content-Type": "text/csv",
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/batches", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def lines(scenario: str, people: list[list[str]], rows: int, name: str) -> bytes:
    head = "record_id,subject,scenario,started_at,ended_at,area,distance_km\n"
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    body = (
        f"{name}{n:07},{people[n % len(people)][0]},{scenario},{day}T{n % 24:02}:{n % 60:02}:{n % 59:02}+08:00,,"
        f"{people[n % len(people)][1]},8.4\n"
        for n in range(rows)
    )
    return (head + "".join(body)).encode()


def test_a_file_that_finds_no_room_is_refused_by_name_and_taken_later(province: Province) -> None:
    system, port = province.act("partner"), free_port()
    province.web(port)
    body = lines(system["scenario"], system["people"], 40_000, "D")
    documents = province.folder / "var" / "documents"
    batches = "select count(*) from activity_batch"
    before = province.ask(batches)
    with small_disk(documents, 1):
        status, answer = post(port, system["key"], body, "full-1")
        assert (status, b"STORAGE_FULL" in answer) == (507, True), answer
        assert not [one for one in documents.rglob("*") if one.is_file()], "half a file was left behind"
        assert province.ask(batches) == before
    status, _ = post(port, system["key"], body, "full-1")
    assert status == 202
    province.worker()
    province.wait(
        "the file to be posted", lambda: province.ask(f"{batches} where state = 'received'") == [(0,)]
    )
    province.invariants()


def test_a_posting_that_finds_no_room_in_the_database_is_undone_and_done_later(province: Province) -> None:
    (batch_id,) = province.send(1, rows=60_000)
    before = province.books()
    held = int(province.ask("select pg_table_size('activity_record_chunk')")[0][0])
    space = province.folder / "database" / "small-space"
    with small_disk(space, held // 1_048_576 + 1):
        owner = province.cluster.data.stat()
        os.chown(space, owner.st_uid, owner.st_gid)
        province.own(f"create tablespace small location '{space}'")
        province.own("alter table activity_record_chunk set tablespace small")
        try:
            worker = province.worker()
            province.wait("the posting to find no room", lambda: "STORAGE_FULL" in province.logs())
            assert province.state(batch_id) == "received"
            province.end(worker)
            province.await_nobody()
            assert province.books() == before
        finally:
            province.own("alter table activity_record_chunk set tablespace pg_default")
            province.own("drop tablespace small")
    province.worker()
    province.await_posted(batch_id)
    province.invariants()


def test_a_web_server_killed_while_it_receives_a_file_keeps_nothing_of_it(province: Province) -> None:
    system, port = province.act("partner"), free_port()
    web = province.web(port)
    body = lines(system["scenario"], system["people"], 5_000, "W")
    batches = "select count(*) from activity_batch"
    before = province.ask(batches)
    with socket.create_connection(("127.0.0.1", port)) as half:
        head = (
            f"POST /api/v1/batches HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {system['key']}\r\n"
            "Idempotency-Key: half\r\nX-File-Name: a.csv\r\nContent-Type: text/csv\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        half.sendall(head.encode() + body[: len(body) // 2])
        time.sleep(1)
        province.end(web)
    assert province.ask(batches) == before
    port = (
        free_port()
    )  # the killed server's socket may outlive it by a moment, and would reset what it is sent
    province.web(port)
    status, _ = post(port, system["key"], body, "half")
    assert status == 202
    assert province.ask(batches) == [(before[0][0] + 1,)]
    province.worker()
    province.wait(
        "the file to be posted", lambda: province.ask(f"{batches} where state = 'received'") == [(0,)]
    )
    province.invariants()
