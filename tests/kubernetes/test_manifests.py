"""What `kubernetes/` promises: valid against the published schemas, locked down, and free of what it must not depend on."""

import json
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest

from tests.kubernetes.built import REPOSITORY, Manifest, build_overlay, find_one

VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""The oldest supported version, and the newest whose schemas are published."""


@pytest.fixture(scope="module")
def home_overlay(tmp_path_factory) -> list[Manifest]:
    return build_overlay("home", tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def hosted_overlay(tmp_path_factory) -> list[Manifest]:
    return build_overlay("hosted", tmp_path_factory.mktemp("hosted"))


@pytest.fixture(scope="module")
def by_host_network(tmp_path_factory) -> list[Manifest]:
    return build_overlay("home", tmp_path_factory.mktemp("network"), components=("host-network",))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["home_overlay", "hosted_overlay", "by_host_network"])
def test_every_object_fits_the_published_schemas(name, version, request):
    for manifest in request.getfixturevalue(name):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_overlays_hold_what_they_promise(home_overlay, hosted_overlay):
    assert sorted(each["kind"] for each in home_overlay) == [
        "ConfigMap", "Deployment", "Namespace", "NetworkPolicy", "PersistentVolumeClaim", "Secret",
    ]  # fmt: skip
    kinds = {each["kind"] for each in hosted_overlay}
    assert {"Deployment", "Service", "Ingress", "PersistentVolumeClaim", "Secret", "NetworkPolicy"} <= kinds


def list_pods(manifests: list[Manifest]) -> list[Manifest]:
    return [each["spec"]["template"]["spec"] for each in manifests if each["kind"] == "Deployment"]


def test_one_replica_that_never_runs_twice(home_overlay, hosted_overlay):
    """Two at once would fight for one outbox or one SQLite file."""
    for manifest in (find_one(home_overlay, "Deployment"), find_one(hosted_overlay, "Deployment")):
        assert manifest["spec"]["replicas"] == 1
        assert manifest["spec"]["strategy"] == {"type": "Recreate"}


def test_the_containers_are_locked_down(home_overlay, hosted_overlay):
    for pod in [*list_pods(home_overlay), *list_pods(hosted_overlay)]:
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]


def test_service_links_are_off(home_overlay, hosted_overlay):
    """Kubernetes would set RECEIVER_PORT=tcp://... for a service of that name, and break the setting."""
    assert all(pod["enableServiceLinks"] is False for pod in [*list_pods(home_overlay), *list_pods(hosted_overlay)])


def test_probes_depend_on_nothing_but_the_process(home_overlay, hosted_overlay):
    for pod in [*list_pods(home_overlay), *list_pods(hosted_overlay)]:
        (container,) = pod["containers"]
        ports = {port["name"] for port in container["ports"]}
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            assert container[probe]["httpGet"]["path"] == "/healthz"
            assert container[probe]["httpGet"]["port"] in ports


def test_state_lies_on_a_claim_and_secret_files_keep_their_modes(home_overlay, hosted_overlay):
    for manifests in (home_overlay, hosted_overlay):
        (pod,) = list_pods(manifests)
        claim = find_one(manifests, "PersistentVolumeClaim")["metadata"]["name"]
        assert {"name": "state", "persistentVolumeClaim": {"claimName": claim}} in pod["volumes"]
        assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
        (settings,) = [
            each["data"]
            for each in manifests
            if each["metadata"]["name"].startswith(claim) and each["kind"] == "ConfigMap"
        ]
        folder = settings.get("ENVOY_STATE_DIR") or settings["RECEIVER_STATE_DIR"]
        mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert Path(folder).parent == Path(mounted["state"]), "a folder of its own: the volume's root is the group's"


def test_no_secret_stands_in_a_config_map(home_overlay, hosted_overlay):
    for manifest in (each for each in [*home_overlay, *hosted_overlay] if each["kind"] == "ConfigMap"):
        names = [name for name in manifest["data"] if not name.endswith((".json", "_FILE"))]
        assert not [name for name in names if "TOKEN" in name.split("_") or "SECRET" in name or "PASSWORD" in name]


def test_the_scraper_may_speak_to_dns_gateway_receiver_and_cloud_only(home_overlay):
    egress = find_one(home_overlay, "NetworkPolicy")["spec"]["egress"]
    assert [sorted(port["port"] for port in rule["ports"]) for rule in egress] == [[53, 53], [80, 443], [443], [8000]]
    gateway = egress[1]["to"]
    assert gateway == [{"ipBlock": {"cidr": "192.168.1.20/32"}}], "the gateway alone, not everything at home"
    policy = find_one(home_overlay, "NetworkPolicy")["spec"]
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "envoy-scraper"
    assert sorted(policy["policyTypes"]) == ["Egress", "Ingress"]


def test_with_host_networking_the_scraper_looks_for_the_gateway_by_itself(by_host_network, home_overlay):
    (pod,) = list_pods(by_host_network)
    assert (pod["hostNetwork"], pod["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    settings = find_one(by_host_network, "ConfigMap")["data"]
    assert settings["ENVOY_STATUS_HOST"] == "127.0.0.1"
    assert pod["containers"][0]["livenessProbe"]["httpGet"]["host"] == "127.0.0.1"
    assert "hostNetwork" not in list_pods(home_overlay)[0]


def test_the_images_are_named_with_a_version(home_overlay, hosted_overlay):
    for pod in [*list_pods(home_overlay), *list_pods(hosted_overlay)]:
        name, _, version = pod["containers"][0]["image"].rpartition(":")
        assert name.startswith("ghcr.io/")
        assert version not in ("", "latest")


def test_every_dashboard_is_a_config_map_for_the_side_car(hosted_overlay):
    maps = [each for each in hosted_overlay if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]
    found = {name: json.loads(text)["uid"] for each in maps for name, text in each["data"].items()}
    made = {
        path.name: json.loads(path.read_text())["uid"] for path in (REPOSITORY / "grafana/dashboards").glob("*.json")
    }
    assert found == made
    assert all(len(text) < 1_000_000 for each in maps for text in each["data"].values()), "a ConfigMap holds 1 MiB"


def test_the_alert_rules_are_a_config_map_for_the_side_car(hosted_overlay):
    (rules,) = [each for each in hosted_overlay if each["metadata"].get("labels", {}).get("grafana_alert") == "1"]
    assert rules["data"] == {"rules.yaml": (REPOSITORY / "grafana/provisioning/alerting/rules.yaml").read_text()}
    assert "grafana_dashboard" not in rules["metadata"]["labels"]


def test_filled_in_settings_are_never_committed():
    for overlay_name in ("home", "hosted"):
        for name in ("settings.env", "secrets.env"):
            path = f"kubernetes/overlays/{overlay_name}/{name}"
            assert subprocess.run(["git", "-C", REPOSITORY, "check-ignore", "-q", path], check=False).returncode == 0
            assert (REPOSITORY / f"{path}.example").exists()


def test_only_the_ingress_controller_and_scrapers_reach_the_main_port(hosted_overlay):
    """Any other pod could say with a header that it comes from an address that sees live values without a token."""
    (policy,) = [each for each in hosted_overlay if each["kind"] == "NetworkPolicy"]
    (main,) = [rule for rule in policy["spec"]["ingress"] if {"port": 8000} in rule["ports"]]
    assert all(
        peer["namespaceSelector"].get("matchLabels") or peer.get("podSelector", {}).get("matchLabels")
        for peer in main["from"]
    )
