"""The steps on this machine: state directory, outbox, clock."""

import errno
import os
import shutil
from pathlib import Path

from scraper.check.findings import Findings
from scraper.errors import OutboxError
from scraper.outbox import Outbox
from scraper.outbox.filesystem import find_network_filesystem
from scraper.outbox.lock import Lock, name_lock
from scraper.settings import ScraperSettings
from shared.clock import Clock
from shared.exposure import find_exposed_directory
from shared.files import make_private_directory

MIB = 1024 * 1024
PROBE_BYTES = 256 * 1024
"""What must fit on the disk before the outbox is worth opening."""


def check_state(settings: ScraperSettings, findings: Findings) -> bool:
    """Whether the state directory can hold an outbox."""
    path = settings.state_dir
    try:
        make_private_directory(path)
        _try_to_write(path / f".check-{os.getpid()}")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some space" if full else "set ENVOY_STATE_DIR to a directory that this user owns"
        findings.fail(
            "state", f"{path} cannot be written ({error.strerror}): readings would have no safe place; {remedy}"
        )
        return False
    if exposed := find_exposed_directory(path):
        findings.fail("state", exposed)
        return False
    if kind := find_network_filesystem(path):
        findings.fail(
            "state",
            f"{path} is on a network file system ({kind}), where a database cannot be kept safe: set ENVOY_STATE_DIR "
            "to a directory on a local disk",
        )
        return False
    free = shutil.disk_usage(path).free
    if free < settings.outbox_quota_bytes:
        findings.note(
            "state",
            f"{path} has {free // MIB} MiB free, less than the outbox may fill ({settings.outbox_quota_mib} MiB): "
            "make room, or lower ENVOY_OUTBOX_QUOTA_MIB",
        )
    else:
        findings.confirm("state", f"{path} is writable, local, and has {free // MIB} MiB free")
    return True


def _try_to_write(probe: Path) -> None:
    try:
        probe.write_bytes(bytes(PROBE_BYTES))
    finally:
        probe.unlink(missing_ok=True)


def check_outbox(path: Path, settings: ScraperSettings, clock: Clock, findings: Findings) -> None:
    """How full the outbox is, without disturbing a scraper that uses it."""
    if not path.exists():
        findings.confirm("outbox", "empty (none made yet)")
        return
    try:
        outbox = Outbox.open(path, quota_bytes=settings.outbox_quota_bytes, now_ms=clock.now_ms, exclusive=False)
    except OutboxError as error:
        findings.fail("outbox", str(error))
        return
    try:
        stats = outbox.read_stats()
    finally:
        outbox.close()
    text = f"{stats.rows} readings waiting in {stats.bytes // 1024} KiB"
    if stats.dead_letters or stats.lost_rows:
        findings.note(
            "outbox",
            f"{text}; {stats.dead_letters} refused by the receiver (see `envoy-scraper outbox list`), "
            f"{stats.lost_rows} lost so far",
        )
    else:
        findings.confirm("outbox", text)


def is_scraper_running(outbox: Path) -> bool:
    """Whether a scraper holds the outbox's lock."""
    path = name_lock(outbox)
    if not path.exists():
        return False
    lock = Lock(path)
    try:
        return not lock.try_take()
    finally:
        lock.close()


def check_clock(clock: Clock, built_ms: int, findings: Findings) -> None:
    """Whether this host knows the time at all."""
    if clock.now_ms() < built_ms:
        findings.fail("clock", "the clock of this machine is not set: wait for its time service, or set the time")
