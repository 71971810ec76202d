"""The outputs that the settings name."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from receiver.live.watch import Watch
from receiver.metrics import Metrics
from receiver.outputs.base import Output, Target
from receiver.outputs.driver import DurableOutput
from receiver.outputs.emoncms.target import EmonCmsTarget
from receiver.outputs.lifetime.energies import LifetimeReader
from receiver.outputs.lines.dialects import DIALECTS
from receiver.outputs.mqtt.output import MqttOutput
from receiver.outputs.outputs import Outputs
from receiver.outputs.progress_file import FILE, ProgressFile
from receiver.outputs.pvoutput.target import PvOutputTarget
from receiver.settings import OutputSettings
from receiver.sites.model import Site
from receiver.stores.base import Store
from shared.clock import Clock


def make_outputs(
    settings: OutputSettings,
    *,
    store: Store,
    site_of: Callable[[str], Site],
    list_unsettled: Callable[[str, int, int], Sequence[tuple[int, int]]],
    lifetime: LifetimeReader,
    watch: Watch,
    state_dir: Path,
    clock: Clock,
    metrics: Metrics,
) -> Outputs:
    """All of them, not yet started. Raises ReceiverSettingError."""
    file = ProgressFile(state_dir / FILE)
    targets = list_targets(settings, store, site_of, list_unsettled, clock)
    outputs: list[Output] = [DurableOutput(target, file, store, clock, metrics) for target in targets]
    if settings.mqtt.url is not None:
        outputs.append(
            MqttOutput(
                settings.mqtt,
                store=store,
                site_of=site_of,
                lifetime=lifetime,
                file=file,
                watch=watch,
                clock=clock,
                metrics=metrics,
            )
        )
    return Outputs(outputs, file, clock)


def list_targets(
    settings: OutputSettings,
    store: Store,
    site_of: Callable[[str], Site],
    list_unsettled: Callable[[str, int, int], Sequence[tuple[int, int]]],
    clock: Clock,
) -> Iterator[Target]:
    """The durable ones. Raises ReceiverSettingError."""
    lines = settings.lines
    if lines.url is not None and lines.dialect is not None:
        # Its encoder brings the client of InfluxDB along, which costs a small machine memory and time to start.
        from receiver.outputs.lines.target import LinesTarget  # noqa: PLC0415

        yield LinesTarget(lines.url, DIALECTS[lines.dialect], lines, store, site_of)
    emoncms = settings.emoncms
    if emoncms.url is not None:
        yield EmonCmsTarget(emoncms.url, emoncms, store, site_of, clock)
    if settings.pvoutput.api_key is not None:
        yield PvOutputTarget(settings.pvoutput, store, site_of, list_unsettled, clock)
