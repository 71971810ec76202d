"""Stands in for Grafana: checks what Grafana would get, and asks InfluxDB with the provisioned token.

It runs alone in a container and so cannot use `tests.fake_http`.

`/api/health` answers if settings, mounts and secrets are as Grafana needs them; otherwise this does not start, just as
Grafana does not start without its token. `/grafana/measurements` asks InfluxDB, as the data source would, what it holds.
"""

import os
import pathlib
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = pathlib.Path("/run/tokens/grafana")


def find_problems():
    """What Grafana would miss."""
    if os.getuid() == 0:
        yield "runs as root"
    for name in ("INFLUXDB_V2_URL", "INFLUXDB_V2_BUCKET", "RECEIVER_LIVE_BUCKET", "GF_SERVER_ROOT_URL"):
        if not os.environ.get(name):
            yield f"{name} is not set"
    for path in (TOKEN, pathlib.Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"])):
        if not path.read_text().strip():
            yield f"{path} is empty"
    if [path.name for path in TOKEN.parent.iterdir()] != [TOKEN.name]:
        yield "another token than Grafana's own can be seen"
    if not list(pathlib.Path("/etc/grafana/provisioning/datasources").glob("*.yaml")):
        yield "no data source is provisioned"
    if "groups:" not in pathlib.Path("/etc/grafana/provisioning/alerting/rules.yaml").read_text():
        yield "the alert rules do not lie over the volume of `setup`"
    if not pathlib.Path(os.environ["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).exists():
        yield "the home dashboard is not there"
    for folder in ("/etc/grafana/provisioning", "/var/lib/grafana/dashboards", "/run/tokens", "/usr"):
        if os.access(folder, os.W_OK):
            yield f"{folder} can be written"
    if not os.access("/var/lib/grafana", os.W_OK):
        yield "/var/lib/grafana cannot be written"


def list_measurements():
    """The names in the main bucket."""
    parameters = urllib.parse.urlencode({"db": os.environ["INFLUXDB_V2_BUCKET"], "q": "SHOW MEASUREMENTS"})
    request = urllib.request.Request(  # noqa: S310 (the address is the compose file's)
        f"{os.environ['INFLUXDB_V2_URL']}/query?{parameters}",
        headers={"Authorization": f"Token {TOKEN.read_text().strip()}"},
    )
    return urllib.request.urlopen(request, timeout=10).read()  # noqa: S310 (as above)


class GrafanaHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = list_measurements() if self.path == "/grafana/measurements" else b'{"database": "ok"}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if found := list(find_problems()):
    sys.exit("; ".join(found))
ThreadingHTTPServer(("0.0.0.0", 3000), GrafanaHandler).serve_forever()  # noqa: S104 (inside a container)
