"""Files that name settings agree with the declarations in `scraper/settings` and `receiver/settings`.

`.env.example` is the list of all settings for people: it names each of them, with its default.
"""

import re
from pathlib import Path

import msgspec
import pytest

from receiver import settings as receiver_settings
from receiver.settings.loading import MODELS
from receiver.settings.source import name_variable
from scraper import settings as scraper_settings
from scraper.settings.loading import GROUPS
from shared.environment import find_unknown_settings

ROOT = Path(__file__).parents[2]
DECLARED = [*scraper_settings.list_known_settings(), *receiver_settings.list_known_settings()]
EXAMPLE = (ROOT / ".env.example").read_text()
NAMED = dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(\S*)", EXAMPLE, re.MULTILINE))
PAGES = [
    ROOT / ".env.example",
    ROOT / "README.md",
    ROOT / "docker-compose.yml",
    ROOT / "Dockerfile",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(path for path in (ROOT / "kubernetes").rglob("*") if path.is_file()),
    *sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file()),
]
_SETTING = re.compile(
    r"(?<![A-Z_])(?:ENVOY|RECEIVER|INFLUXDB|ALARM|NTFY|TELEGRAM|WEBHOOK|SMTP|GRAFANA)_[A-Z0-9_]*[A-Z0-9](?![A-Z_*])"
)


def list_declared_defaults() -> dict[str, str]:
    """Each setting with a default that is a number or a word, as one would write it."""
    found: dict[str, object] = {}
    for group in GROUPS:
        for field in msgspec.structs.fields(group):
            found[f"{group.PREFIX}{field.name.upper()}"] = field.default
    for model in MODELS:
        found |= {name_variable(model, name): field.default for name, field in model.model_fields.items()}
    texts = {name: str(value) for name, value in found.items() if isinstance(value, bool | int | float | str)}
    return {name: text.lower() if text in ("True", "False") else text for name, text in texts.items()}


def test_no_setting_is_declared_twice() -> None:
    assert sorted(set(DECLARED)) == sorted(DECLARED)


def test_the_example_names_every_setting() -> None:
    """A secret may stand there as a value or as a file."""

    def is_named_as_secret(name: str) -> bool:
        value = name.removesuffix("_FILE")
        return f"{value}_FILE" in DECLARED and value in DECLARED and bool({value, f"{value}_FILE"} & NAMED.keys())

    missing = {name for name in DECLARED if name not in NAMED and not is_named_as_secret(name)}
    assert not missing


@pytest.mark.parametrize(
    ("own", "half"),
    [(scraper_settings.list_known_settings(), "scraper"), (receiver_settings.list_known_settings(), "receiver")],
)
def test_neither_half_takes_a_setting_of_the_other_or_of_compose_for_a_misspelt_one(own: list[str], half: str) -> None:
    others = {name: "" for name in NAMED if name not in own}
    prefix = "ENVOY_" if half == "scraper" else "RECEIVER_"
    assert not list(find_unknown_settings(others, own, prefix, half))


@pytest.mark.parametrize(("name", "default"), list_declared_defaults().items())
def test_the_example_shows_the_default(name: str, default: str) -> None:
    assert NAMED[name] == default


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(path: Path) -> None:
    assert set(_SETTING.findall(path.read_text())) <= set(DECLARED)
