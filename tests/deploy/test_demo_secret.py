"""The published secret of the demo opens the demo and nothing else."""

from pathlib import Path

import yaml

from receiver.settings.declarations import DEMO_GATEWAYS, DEMO_SECRET

ROOT = Path(__file__).parents[2]


def test_the_receiver_knows_the_secret_and_the_gateway_of_the_demo():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert (ROOT / "deploy" / "demo-secret").read_bytes().strip() == DEMO_SECRET
    assert compose["services"]["demo-receiver"]["environment"]["RECEIVER_GATEWAYS"] == ",".join(DEMO_GATEWAYS)
