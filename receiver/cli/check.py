"""`envoy-receiver check`: the doctor. Each line says what works or what to do; the exit status says if it could run."""

import asyncio
import http.client
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from receiver import settings
from receiver.auth import keys_file, readers
from receiver.cli.check_outputs import examine_outputs
from receiver.cli.console import show_errors_as_sentences
from receiver.cli.terminal import LOOPBACK, is_loopback_address
from receiver.errors import ReceiverSettingError
from receiver.rollups.expired_minutes import count_expired_days
from receiver.settings import ReceiverSettings
from receiver.sites import LocatedSites, SitesFile, find_machine_zone
from receiver.sites import load as sites
from receiver.stores.base import Store, StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.clock import SystemClock
from shared.exposure import find_exposed_directory, find_exposed_list
from shared.files import make_private_directory
from shared.logs import make_inert

_WHO_SAYS = {
    "sites-file": "the sites file says",
    "gateway": "it says itself",
    "receiver": "this machine's clock says; `time_zone` in the sites file changes it",
}
_ANSWER_S = 5.0
_LONGEST_ANSWER = 1000
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (where a listener on all addresses is asked)

Finding = tuple[bool, str]
"""Whether it is fine, and a sentence."""


def check() -> None:
    """Say whether the receiver could run here, and what to change if not."""
    with show_errors_as_sentences():
        chosen = settings.load()
    findings = [(True, "settings: complete"), *examine(chosen)]
    for fine, sentence in findings:
        typer.echo(f"{'ok  ' if fine else 'FAIL'}  {make_inert(sentence)}")
    if not all(fine for fine, _ in findings):
        raise typer.Exit(1)


def examine(chosen: ReceiverSettings) -> Iterator[Finding]:
    """Every finding about these settings, in the order in which a start would meet them."""
    yield _check_state_directory(chosen.state_dir)
    if not os.access(chosen.state_dir, os.W_OK | os.X_OK):
        return  # nothing below could work
    yield _read_key(chosen)
    yield _check_senders(chosen)
    yield from _check_sites(chosen.sites_file)
    yield from _check_store(chosen)
    yield from examine_outputs(chosen)
    yield True, _describe_page(chosen.public_url)
    yield _check_port("RECEIVER", chosen.host, chosen.port)
    yield _check_port("RECEIVER_STATUS", chosen.status_host, chosen.status_port)


def _check_state_directory(path: Path) -> Finding:
    try:
        make_private_directory(path)
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return (
            False,
            f"state directory: {path} cannot be made ({error.strerror}); set RECEIVER_STATE_DIR to one that can",
        )
    if not os.access(path, os.W_OK | os.X_OK):
        return False, f"state directory: {path} is not writable; change its owner or set RECEIVER_STATE_DIR"
    if exposed := find_exposed_directory(path):
        return False, f"state directory: {exposed}"
    if mode & 0o077 and not path.is_mount():  # the root of a volume has the mode that its maker gave it
        return False, f"state directory: other users can enter {path}; run: chmod 700 {path}"
    return True, f"state directory: {path} is writable and private"


def _read_key(chosen: ReceiverSettings) -> Finding:
    try:
        key = chosen.read_secret or readers.load_or_make_key(chosen.state_dir)
        made = len(readers.load(chosen.state_dir, key))
    except ReceiverSettingError as error:
        return False, f"reader tokens: {error}"
    signed = "" if chosen.read_secret is None else ", signed with RECEIVER_READ_SECRET"
    return True, f"reader tokens: {made} made so far{signed}"


def _check_senders(chosen: ReceiverSettings) -> Finding:
    if exposed := find_exposed_list(chosen.keys_file):
        return False, f"senders: {exposed}"
    try:
        active = [entry for entry in keys_file.load(chosen.keys_file) if not entry.revoked]
    except ReceiverSettingError as error:
        return False, f"senders: {error}"
    if chosen.secret is None and not active:
        return False, (
            "senders: nobody may send yet; set RECEIVER_SECRET and RECEIVER_GATEWAYS, or run `envoy-scraper key` at "
            "the scraper and give its line to `envoy-receiver keys add`"
        )
    shared = f"the secret for {len(chosen.gateways)} gateway(s), " if chosen.secret is not None else ""
    return True, f"senders: {shared}{len(active)} key(s) in {chosen.keys_file}"


def _check_sites(path: Path | None) -> Iterator[Finding]:
    if path is None:
        yield True, "sites file: none, so panels go by their serials (`envoy-receiver sites`)"
        return
    try:
        with path.open("rb") as file:
            known = sites.parse(file.read(sites.MAX_BYTES + 1))
    except OSError as error:
        yield False, f"sites file: {path} cannot be read ({error.strerror}); correct RECEIVER_SITES_FILE or the file"
    except sites.SitesFileError as error:
        yield from ((False, f"sites file: {problem}") for problem in error.sentences)
    else:
        yield True, f"sites file: {path} describes {len(known)} gateway(s)"


def _check_store(chosen: ReceiverSettings) -> Iterator[Finding]:
    found: list[str] = []
    choice = choose_store(chosen)
    try:
        problem, found = asyncio.run(_look(choice.make(), SitesFile(chosen.sites_file, SystemClock())))
    except ReceiverSettingError as error:
        problem = str(error)
    yield (False, f"store: {problem}") if problem else (True, f"store: {chosen.store.description} opens")
    yield from ((True, sentence) for sentence in found)
    yield from choice.examine(opens=problem is None)


async def _look(store: Store, file: SitesFile) -> tuple[str | None, list[str]]:
    """What is wrong with a store, and what else is to be said: zones and links of gateways, minutes that wait to go."""
    await store.open()
    try:
        problem = await store.check_ready()
        if problem:
            return problem, []
        serials = [summary.gateway for summary in await store.list_gateways()]
        zones, minutes = await _list_zones(store, file, serials), await _describe_minutes(store, serials)
        return None, [*zones, *_list_links(file, serials), *minutes]
    except StoreUnavailableError as error:
        return str(error), []
    finally:
        await store.close()


async def _list_zones(store: Store, file: SitesFile, serials: Sequence[str]) -> list[str]:
    zones = LocatedSites(file, store, find_machine_zone())
    await zones.load()
    return [
        f"time zone: gateway {serial} is in {zones.get_site(serial).zone.key}, as "
        f"{_WHO_SAYS[zones.find_zone_source(serial)]}"
        for serial in serials
    ]


def _list_links(file: SitesFile, serials: Sequence[str]) -> list[str]:
    linked = {serial: site.cloud for serial, site in sorted(file.get().items()) if site.cloud is not None}
    return [
        f"cloud: gateway {serial} is linked to {system}"
        + (
            ""
            if system in serials
            else ", of which nothing has come yet: compare it with ENVOY_CLOUD_SYSTEM of its scraper"
        )
        for serial, system in linked.items()
    ]


async def _describe_minutes(store: Store, serials: Sequence[str]) -> list[str]:
    days = await count_expired_days(store, serials, SystemClock().now_ms())
    told = (
        f"minutes: {days} days of them are older than RECEIVER_MINUTE_DAYS; a running receiver deletes them bit by bit"
    )
    return [told] if days else []


def _describe_page(public_url: str) -> str:
    return f"page: {public_url}/" + (f", which {LOOPBACK}" if is_loopback_address(public_url) else "")


def _check_port(prefix: str, host: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if find_running(host, port):
            return True, f"port: a receiver runs at {host}:{port}"
        return False, (
            f"port: {host}:{port} cannot be used ({error.strerror}) and no receiver answers there: set {prefix}_HOST "
            f"and {prefix}_PORT"
        )
    return True, f"port: {host}:{port} is free"


def find_running(host: str, port: int) -> bool:
    """Whether a receiver answers there, at its main or its status port."""
    connection = http.client.HTTPConnection(_LOOPBACK.get(host, host), port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        return b"alive" in connection.getresponse().read(_LONGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
