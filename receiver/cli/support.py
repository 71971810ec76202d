"""`envoy-receiver support`: one archive for a report of a bug, without secrets; works beside a running receiver."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from receiver import settings
from receiver.alarms.book_file import FILE as ALARMS_FILE
from receiver.alarms.book_file import load_standing
from receiver.cli.check import examine
from receiver.cli.console import show_errors_as_sentences
from receiver.cli.outputs import describe_outputs
from receiver.errors import ReceiverError
from receiver.outputs.progress_file import FILE as OUTPUTS_FILE
from receiver.settings import ReceiverSettings
from receiver.settings.loading import list_known_settings
from receiver.sites import load as sites
from receiver.sites.output_keys import SiteEmonCms
from receiver.stores.base import StoreUnavailableError
from receiver.stores.choose import choose_store
from shared.clock import SystemClock
from shared.environment import UnreadableSettingError, read_environment
from shared.files import read_regular
from shared.local_settings import add_local_settings
from shared.pseudonyms import Pseudonyms
from shared.support import (
    describe_files,
    describe_settings,
    describe_versions,
    hide_secret_files,
    read_log,
    write_archive,
)

COMMAND = "envoy-receiver"
_OUR_NODES = (SiteEmonCms().node, SiteEmonCms().panels)
_SECRET_FILES = ("read-key", "tokens/*", "keys")
_NAMED = re.compile(
    r"""\b(?:(?:name|site|array|latitude|longitude)["']?\s*:\s*|(?:node|panels)["']?[ \t]*:[ \t]*)"""
    r"""(?:"([^"\n]+)"|'([^'\n]+)'|([^,"'{}#\n]+))"""
)
_SYSTEM = re.compile(r"""\bsystem["']?\s*:\s*["']?(\d+)""")
_NAMED_SYSTEM = re.compile(r"""\bsystem \d+ is (?:'([^'\n]+)'|"([^"\n]+)")""")
"""What `check` says of a system at PVOutput: its name there."""


def make_archive(
    log: Annotated[Path | None, typer.Option(help="A file with the receiver's log; its last lines are taken.")] = None,
    to: Annotated[Path | None, typer.Option(help="The archive to write; it must not be there yet.")] = None,
) -> None:
    """Write an archive for a report of a bug: versions, settings, check, state in numbers; no secrets."""
    clock, pseudonyms = SystemClock(), Pseudonyms()
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    path = to or Path(f"{COMMAND}-support-{now:%Y%m%d-%H%M%S}.tar.gz")
    with show_errors_as_sentences():
        try:
            texts = {"versions.txt": describe_versions(), "log.txt": read_log(log, COMMAND)}
            environment = add_local_settings(read_environment(), "RECEIVER_STATE_DIR")
            texts |= _collect(environment, clock.now_ms(), pseudonyms)
            texts["settings.txt"] = describe_settings(environment, list_known_settings(), pseudonyms)
            write_archive(path, COMMAND, texts, pseudonyms, now_s=now.timestamp())
        except UnreadableSettingError as error:
            raise ReceiverError(str(error)) from error
        except OSError as error:
            raise ReceiverError(
                f"{error.filename or path} cannot be used ({error.strerror}): name another one with --log or --to"
            ) from error
    typer.echo(f"{path}: look through it before you give it away (docs/support.md says what is in it)")


def _collect(environment: Mapping[str, str], now_ms: int, pseudonyms: Pseudonyms) -> dict[str, str]:
    """What needs settings that can be used; where they cannot, the reason."""
    try:
        chosen = settings.load()
    except ReceiverError as error:
        sites_file = environment.get("RECEIVER_SITES_FILE")  # its names may stand in the log all the same
        return {
            "check.txt": f"The settings cannot be used: {error}\n",
            "sites.txt": _describe_sites(Path(sites_file) if sites_file else None, pseudonyms),
        }
    for serial in chosen.gateways:
        pseudonyms.hide("gateway", serial)
    hide_secret_files(pseudonyms, [path for form in _SECRET_FILES for path in chosen.state_dir.glob(form)])
    check = "".join(f"{'ok  ' if fine else 'FAIL'}  {sentence}\n" for fine, sentence in examine(chosen))
    for match in _NAMED_SYSTEM.finditer(check):
        pseudonyms.hide("name", match[1] or match[2])
    return {
        "check.txt": check,
        "files.txt": describe_files(chosen.state_dir),
        "sites.txt": _describe_sites(chosen.sites_file, pseudonyms),
        "store.txt": asyncio.run(_describe_store(chosen, now_ms, pseudonyms)),
        "alarms.txt": _describe_alarms(chosen.state_dir / ALARMS_FILE, now_ms),
        "outputs.txt": _describe_outputs(chosen.state_dir / OUTPUTS_FILE, now_ms),
    }


def _describe_sites(path: Path | None, pseudonyms: Pseudonyms) -> str:
    """How much the file says; what it names is hidden, also where the file has mistakes."""
    if path is None:
        return "There is no sites file.\n"
    try:
        data = read_regular(path, sites.MAX_BYTES + 1)
    except OSError as error:
        return f"The sites file cannot be read ({error.strerror}).\n"
    text = data.decode(errors="replace")
    for match in _NAMED.finditer(text):
        _hide_name(match[1] or match[2] or match[3], pseudonyms)
    for match in _SYSTEM.finditer(text):
        pseudonyms.hide("system", match[1])
    try:
        known = sites.parse(data)
    except sites.SitesFileError as error:
        pseudonyms.learn(text)
        return f"The sites file has mistakes: {error}\n"
    lines = []
    for serial, site in known.items():
        pseudonyms.hide("gateway", serial)
        names = [site.name, site.site, *(name for panel in site.panels.values() for name in (panel.name, panel.array))]
        if (nodes := site.outputs.emoncms) is not None:
            names += [nodes.node, nodes.panels]
        for name in filter(None, names):
            _hide_name(name, pseudonyms)
        if (pvoutput := site.outputs.pvoutput) is not None:
            pseudonyms.hide("system", str(pvoutput.system))
        lines.append(
            f"{serial}: {len(site.panels)} panels, {len(site.meters)} meters corrected, {len(site.tariffs)} tariffs, "
            f"netting {site.netting}, location {'known' if site.location else 'unknown'}"
        )
    pseudonyms.learn(text)
    return "\n".join(lines) + "\n"


def _hide_name(name: str, pseudonyms: Pseudonyms) -> None:
    """Hide a name that the owner gave; the nodes that have no other name say nothing, and are words of ours."""
    if name.strip() not in _OUR_NODES:
        pseudonyms.hide("name", name)


async def _describe_store(chosen: ReceiverSettings, now_ms: int, pseudonyms: Pseudonyms) -> str:
    choice = choose_store(chosen)
    if choice.is_missing:
        return "There is no store yet.\n"
    store = choice.make()
    try:
        summaries = await store.list_gateways()
    except StoreUnavailableError as error:
        return f"The store cannot be read: {error}\n"
    finally:
        await store.close()
    lines = [f"{len(summaries)} gateway(s)"]
    for one in summaries:
        pseudonyms.hide("gateway", one.gateway)
        series = ", ".join(f"{kind} {count}" for kind, count in sorted(one.series.items()))
        lines.append(
            f"{one.gateway}: newest reading {(now_ms - one.last_timestamp) / 1000:.0f} s old; series: {series}"
        )
    return "\n".join(lines) + "\n"


def _describe_alarms(path: Path, now_ms: int) -> str:
    """How many of each, without their reasons, which name panels and places."""
    try:
        standing = load_standing(path)
    except ReceiverError as error:
        return f"The alarms cannot be read: {error}\n"
    if standing.judged is None:
        return "Nothing was judged yet.\n"
    counts = Counter((state.phase.value, key.alarm) for key, state in standing.states.items())
    lines = [f"judged {(now_ms - standing.judged) / 1000:.0f} s ago"]
    return (
        "\n".join([*lines, *(f"{phase} {alarm}: {count}" for (phase, alarm), count in sorted(counts.items()))]) + "\n"
    )


def _describe_outputs(path: Path, now_ms: int) -> str:
    try:
        return "\n".join(describe_outputs(path, now_ms)) + "\n"
    except ReceiverError as error:
        return f"The outputs cannot be read: {error}\n"
