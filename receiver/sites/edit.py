"""New words on panels put into the text of a sites file, whose comments and everything else stay. Pure.

What comes out is read again before it is given away, as the receiver reads it: it says of the panels what was wanted,
and of everything else what it said before.
"""

import io
from collections.abc import Mapping
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from receiver.sites import plain_yaml
from receiver.sites.load import SitesFileError, parse
from receiver.sites.model import NO_SITE, SitePanel, Sites

PanelWords: TypeAlias = Mapping[str, str | int | float | None]
"""Keys of one panel and what they shall say; None removes a key, and what is not named stays."""
PanelChanges: TypeAlias = Mapping[str, PanelWords]
"""By the serial of the inverter."""

_WIDEST = 1_000_000
"""No line is broken, and so no text is changed, by being written again."""


def change_panels(data: bytes, serial: str, changes: PanelChanges) -> bytes:
    """The file with the panels of one gateway changed. Raises SitesFileError, also for what it would not accept.

    Args:
        data: The file as it is; a file that cannot be used is refused.
        serial: The gateway.
        changes: What shall be said of its panels.
    """
    try:
        before = parse(data)
    except SitesFileError as error:
        raise SitesFileError([f"mend the sites file by hand first: {error}"]) from error
    text = data.decode("utf-8-sig")
    writer, document = _load(text)
    _put_panels(document, serial, changes)
    written = io.StringIO()
    writer.dump(document, written)
    after = written.getvalue().encode()
    _check_readable(written.getvalue())
    _check_kept(before, parse(after), serial, changes)
    return after


def _load(text: str) -> tuple[YAML, CommentedMap]:
    """The document and what writes it as it was: quotes, comments, order and indentation. Raises SitesFileError."""
    writer = YAML(typ="rt")
    writer.preserve_quotes = True
    writer.width = _WIDEST
    writer.indent(mapping=2, sequence=4, offset=2)  # as docs/sites.md has it
    try:
        document = writer.load(text)
    except (YAMLError, ValueError) as error:
        raise SitesFileError(["the receiver cannot write into this file; change it by hand"]) from error
    if document is None:
        document = CommentedMap()
        if text.strip():
            document.yaml_set_start_comment("\n".join(line.removeprefix("#").strip() for line in text.splitlines()))
    return writer, document


def _put_panels(document: CommentedMap, serial: str, changes: PanelChanges) -> None:
    site = _find_entry(document, serial)
    if not isinstance(site.get("panels"), dict):
        site["panels"] = CommentedMap()
    for inverter, words in changes.items():
        panel = _find_entry(site["panels"], inverter, flow=True)
        for name, wanted in words.items():
            value = int(wanted) if isinstance(wanted, float) and wanted.is_integer() else wanted
            if value is None:
                panel.pop(name, None)
            elif name not in panel or str(panel[name]) != str(value):
                panel[name] = value


def _find_entry(mapping: CommentedMap, key: str, *, flow: bool = False) -> CommentedMap:
    """The entry of a serial, which an unquoted key may have made a number; a new one where there is none."""
    found: Any = next((each for each in mapping if str(each) == key), None)
    if found is None:
        found = DoubleQuotedScalarString(key)
    if not isinstance(mapping.get(found), dict):
        mapping[found] = CommentedMap()
    entry: CommentedMap = mapping[found]
    if flow and not entry:
        entry.fa.set_flow_style()
    return entry


def _check_readable(text: str) -> None:
    """A serial that YAML takes for another number (0123) would stand there twice. Raises SitesFileError."""
    try:
        plain_yaml.read(text)
    except plain_yaml.PlainYamlError as error:
        raise SitesFileError(["the receiver cannot write into this file; change it by hand"]) from error


def _check_kept(before: Sites, after: Sites, serial: str, changes: PanelChanges) -> None:
    """Raises SitesFileError unless the new file says what was wanted, and the rest as before."""
    was, now = before.get(serial, NO_SITE), after.get(serial, NO_SITE)
    wanted = dict(was.panels)
    for inverter, words in changes.items():
        known = wanted.get(inverter, SitePanel())
        wanted[inverter] = SitePanel.model_validate({**known.model_dump(), **words})
    others = {key: site for key, site in before.items() if key != serial}
    if (
        now.panels != wanted
        or now.model_copy(update={"panels": {}}) != was.model_copy(update={"panels": {}})
        or {key: site for key, site in after.items() if key != serial} != others
    ):
        raise SitesFileError(["the receiver cannot write into this file without changing more; change it by hand"])
