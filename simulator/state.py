"""The state that a simulated gateway keeps over a restart: certificate, token key and counters."""

import json
from pathlib import Path

from simulator.gateway.tokens import TokenAuthority
from simulator.house.state import LifetimeCounters, PhaseEnergy
from simulator.web.tls import Certificate, make_gateway_certificate


class StateFolder:
    """A folder that keeps the identity and the counters of a gateway over restarts.

    Args:
        folder: made, for its owner only, if it does not exist.
        serial: the gateway's; another gateway in the same folder has files of its own.
        house: name of the house, whose counters they are.
    """

    def __init__(self, folder: Path, serial: str, house: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._certificate = folder / f"{serial}-certificate.pem"
        self._key = folder / f"{serial}-key.pem"
        self._tokens = folder / "token-key.pem"
        self._counters = folder / f"{serial}-{house}-counters.json"
        self._serial = serial

    def load_certificate(self) -> Certificate:
        """The gateway's certificate, made at the first start."""
        if not (self._certificate.exists() and self._key.exists()):
            made = make_gateway_certificate(self._serial)
            _write(self._certificate, made.certificate_pem)
            _write(self._key, made.key_pem)
        return Certificate(self._certificate.read_bytes(), self._key.read_bytes())

    def load_token_authority(self) -> TokenAuthority:
        """The key that signs tokens, made at the first start: older tokens stay valid."""
        if not self._tokens.exists():
            _write(self._tokens, TokenAuthority().key_pem)
        return TokenAuthority(self._tokens.read_bytes())

    def load_counters(self) -> LifetimeCounters | None:
        """The counters at the last stop; None at the first start or if the file is not valid."""
        try:
            kept = json.loads(self._counters.read_bytes())
            meters = {name: tuple(PhaseEnergy(*pair) for pair in phases) for name, phases in kept["meters"].items()}
            return LifetimeCounters(meters, tuple(kept["panels_wh"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep_counters(self, counters: LifetimeCounters) -> None:
        """Store the counters."""
        _write(self._counters, json.dumps(counters._asdict()).encode())


def _write(file: Path, data: bytes) -> None:
    """Write a file that only its owner can read, completely or not at all."""
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(data)
    new.replace(file)
