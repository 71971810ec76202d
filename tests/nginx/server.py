"""A real nginx process with our file, on loopback, with a certificate of the tests."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.tools import skip_missing

FILE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "solar.example.org"
READY_S = 30.0
_AROUND = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/relay.conf;
}}
"""


@dataclass(frozen=True)
class RunningNginx:
    """A running nginx.

    Attributes:
        port: Of https, on 127.0.0.1.
        tls: Trusts its certificate.
    """

    port: int
    tls: ssl.SSLContext

    def connect(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """A TLS connection from a loopback address to it, as to the server NAME."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))
        return self.tls.wrap_socket(plain, server_hostname=NAME)


@contextlib.contextmanager
def run_nginx(folder: Path, upstream_port: int, *, times: str = "") -> Iterator[RunningNginx]:
    """Nginx with the file of this project, but for what an owner changes; it ends with the context.

    Args:
        folder: Where it may write.
        upstream_port: Of receiver and Grafana.
        times: What stands for its times for head and body, if not "".
    """
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        skip_missing("no nginx: install it (apt install nginx-light)")
    port = _find_free_port()
    authority = trustme.CA()
    issued = authority.issue_cert(NAME)
    issued.cert_chain_pems[0].write_to_path(folder / "fullchain.pem")
    issued.private_key_pem.write_to_path(folder / "privkey.pem")
    text = FILE.read_text()
    changes = {
        "listen [::]:443 ssl;": "",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/letsencrypt/live/solar.example.org/fullchain.pem": f"{folder}/fullchain.pem",
        "/etc/letsencrypt/live/solar.example.org/privkey.pem": f"{folder}/privkey.pem",
        "127.0.0.1:8000": f"127.0.0.1:{upstream_port}",
        "127.0.0.1:3000": f"127.0.0.1:{upstream_port}",
        **({"_timeout 10s": f"_timeout {times}", "_timeout 30s": f"_timeout {times}"} if times else {}),
    }
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    (folder / "relay.conf").write_text(text)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [binary, "-p", str(folder), "-c", str(folder / "nginx.conf")], stdout=log, stderr=log
        )
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    running = RunningNginx(port, tls)
    try:
        _wait_until_ready(process, running, folder / "log")
        yield running
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(process: subprocess.Popen[bytes], running: RunningNginx, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"nginx did not start:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(ConnectionError):
            running.connect().close()
            return
        time.sleep(0.05)


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
