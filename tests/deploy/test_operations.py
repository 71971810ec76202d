"""docs/operations.md and docs/alerts.md name what there is: alerts, profiles, services, settings, commands, files."""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from grafana.source.alerts import list_alerts
from receiver.cli import app as receiver
from scraper.cli import typer_app as scraper
from tests.deploy.pages import DOCS, TEXT, TEXTS

ROOT = Path(__file__).parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
COMPOSE["services"] |= yaml.safe_load((ROOT / "compose.home.yml").read_text(encoding="utf-8"))["services"]


def list_anchors(page: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("alert", list_alerts(), ids=lambda alert: alert.title)
def test_every_alert_has_the_heading_that_its_link_points_to(alert):
    page, anchor = alert.build().build().annotations["runbook"].split("#")
    assert page == "docs/alerts.md"
    assert anchor in list_anchors("alerts.md")


@pytest.mark.parametrize("page", TEXTS)
def test_links_within_and_between_the_pages_lead_somewhere(page):
    links = re.findall(r"\]\((\w+\.md)?#([^)]*)\)", TEXTS[page])
    assert {(name, anchor) for name, anchor in links if anchor not in list_anchors(name or page)} == set()


def test_every_service_and_profile_is_in_the_compose_file():
    profiles = {profile for service in COMPOSE["services"].values() for profile in service["profiles"]}
    assert set(re.findall(r"COMPOSE_PROFILES=(\w+)", TEXT)) <= profiles
    named = re.findall(
        r"docker compose (?:exec|run|logs|restart|stop|start|cp|up -d)(?: --rm| -T| --no-deps)* ([a-z-]+)(?: grafana)?",
        TEXT,
    )
    assert len(named) > 10
    assert set(named) <= COMPOSE["services"].keys()


def test_every_setting_exists():
    known = (ROOT / ".env.example").read_text(encoding="utf-8") + COMPOSE_TEXT
    known += (ROOT / "receiver" / "settings" / "contacts.py").read_text(encoding="utf-8").upper()
    names = set(re.findall(r"\b(?:RECEIVER|ENVOY|INFLUXDB|RELAY|NTFY|TELEGRAM|WEBHOOK)_[A-Z0-9_]+\b", TEXT))
    assert len(names) > 15
    assert {name for name in names if name not in known} == set()


@pytest.mark.parametrize(("program", "app"), [("envoy-receiver", receiver), ("envoy-scraper", scraper)])
def test_every_command_exists(program, app):
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group
    named = set(re.findall(rf"(?<![/\w]){program} ([a-z]+)\b", TEXT))
    assert len(named) >= 3
    assert named <= commands.keys()


def test_every_file_exists():
    named = set(re.findall(r"\b((?:deploy|kubernetes|docs)/[\w./-]*[\w/])", TEXT))
    assert len(named) >= 5
    pods = {"deploy/envoy-scraper", "deploy/envoy-receiver"}  # as kubectl names them
    assert {path for path in named - pods if not (ROOT / path).exists()} == set()
