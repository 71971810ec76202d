"""Every file that this package makes, as text, and the comparison with the files that are checked in."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.source import battery, energy, now, panels, phases, pipeline, provisioning

HERE = Path(__file__).parent
DASHBOARDS = {
    "now": now.make_dashboard,
    "panels": panels.make_dashboard,
    "phases": phases.make_dashboard,
    "energy": energy.make_dashboard,
    "battery": battery.make_dashboard,
    "pipeline": pipeline.make_dashboard,
}
"""File name without ending to what makes the dashboard."""
_FOLDERS = ("dashboards", "provisioning", "contact-points")


def make_files() -> dict[str, str]:
    """Path under `grafana/` to content: the same text for the same source, always."""
    encoder = JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False)
    boards = {
        f"dashboards/{name}.json": encoder.encode(json.loads(encoder.encode(make()))) + "\n"
        for name, make in DASHBOARDS.items()
    }
    return boards | provisioning.make_files()


def write_files() -> None:
    """Write the files of `make_files`, and remove checked-in files that it does not name."""
    wanted = make_files()
    for name in wanted.keys() | _list_present():
        path = HERE / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()


def find_differences() -> list[str]:
    """Paths under `grafana/` whose checked-in file is missing, superfluous or different; empty if all agree."""
    wanted = make_files()
    return sorted(name for name in wanted.keys() | _list_present() if _read(name) != wanted.get(name))


def _list_present() -> set[str]:
    found = (path for folder in _FOLDERS for path in (HERE / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(HERE)) for path in found}


def _read(name: str) -> str | None:
    path = HERE / name
    return path.read_text(encoding="utf-8") if path.is_file() else None
