"""New words on panels put into the text of a sites file, whose comments and everything else stay. Pure.

What comes out is read again before it is given away, as the receiver reads it: it says of the panels what was wanted,
and of everything else what it said before.
"""

import io
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from receiver.sites import plain_yaml
from receiver.sites.comments import find_moved
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
    found = data.decode("utf-8-sig")
    text = found.replace("\r\n", "\n")
    written = _write(text, serial, changes, last=True)
    if find_moved(text, written) is not None:  # a comment at the end of an entry: what is new goes before its last key
        written = _write(text, serial, changes, last=False)
    if (moved := find_moved(text, written)) is not None:
        raise SitesFileError(
            [f"line {moved.line}: {moved.text!r} would not stay where it is; put this change into the file by hand"]
        )
    ending = "\r\n" if "\r\n" in found else "\n"
    after = written.replace("\n", ending).encode("utf-8-sig" if data.startswith(BOM_UTF8) else "utf-8")
    _check_kept(before, parse(after), serial, changes)
    return after


def _write(text: str, serial: str, changes: PanelChanges, *, last: bool) -> str:
    """The text with the changes; keys that are new come last in their entry, or before its last key."""
    writer, document = _load(text)
    _put_panels(document, serial, changes, last=last)
    written = io.StringIO()
    writer.dump(document, written)
    _check_readable(written.getvalue())
    return written.getvalue()


def _load(text: str) -> tuple[YAML, CommentedMap]:
    """The document and what writes it as it was: quotes, comments, order and indentation. Raises SitesFileError."""
    writer = YAML(typ="rt")
    writer.preserve_quotes = True
    writer.width = _WIDEST
    writer.indent(mapping=2, sequence=4, offset=2)  # as docs/sites.md has it
    try:
        document = writer.load(text)
    except (YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f"line {mark.line + 1} (is there a tab?): "
        raise SitesFileError([f"{where}the receiver cannot write into this file; change it by hand"]) from error
    if document is None:
        document = CommentedMap()
        if text.strip():
            document.yaml_set_start_comment(
                "\n".join(line.removeprefix("#").removeprefix(" ").rstrip() for line in text.splitlines())
            )
    return writer, document


def _put_panels(document: CommentedMap, serial: str, changes: PanelChanges, *, last: bool) -> None:
    site = _find_entry(document, serial)
    if not isinstance(site.get("panels"), dict):
        _put(site, "panels", CommentedMap(), last=last)
    for inverter, words in changes.items():
        panel = _find_entry(site["panels"], inverter, flow=True)
        for name, wanted in words.items():
            value = int(wanted) if isinstance(wanted, float) and wanted.is_integer() else wanted
            if value is None:
                panel.pop(name, None)
            elif name not in panel or str(panel[name]) != str(value):
                _put(panel, name, _quote_where_needed(value), last=last)


def _put(mapping: CommentedMap, name: str, value: Any, *, last: bool) -> None:
    if name in mapping or last or not mapping:
        mapping[name] = value
    else:
        mapping.insert(len(mapping) - 1, name, value)


def _quote_where_needed(value: Any) -> Any:
    """The value; in quotes where the writer would leave out some that our reader wants, as for `:0` between braces."""
    try:
        plain_yaml.read(f"{{name: {value}}}")
    except plain_yaml.PlainYamlError:
        return DoubleQuotedScalarString(value)
    return value


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
