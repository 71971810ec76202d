"""`envoy-receiver setup`: prepares InfluxDB, and writes for Grafana who hears of alarms."""

import asyncio

import typer

from receiver import settings
from receiver.cli.console import show_errors_as_sentences
from receiver.errors import ReceiverSettingError
from receiver.settings import ContactSettings
from receiver.stores.choose import ChosenStore, choose_store
from shared.clock import SystemClock


def set_up_store() -> None:
    """Make InfluxDB's buckets, their expiry and two tokens. May be run again at any time; mends what is lost.

    With GRAFANA_ALERTING_DIR it also writes there whom Grafana tells of alarms.
    """
    with show_errors_as_sentences():
        chosen, contacts = settings.load(), settings.load_contacts()
        if contacts.alerting_dir is None and not contacts.is_empty and not contacts.is_sent_by_receiver:
            raise ReceiverSettingError(
                "GRAFANA_ALERTING_DIR is missing: alarms have somewhere to go (NTFY_URL, TELEGRAM_BOT_TOKEN or "
                "WEBHOOK_URL), so set it to Grafana's directory provisioning/alerting"
            )
        asyncio.run(_set_up(choose_store(chosen)))
        _tell_grafana(contacts)


async def _set_up(store: ChosenStore) -> None:
    async for sentence in store.set_up(SystemClock()):
        typer.echo(sentence)


def _tell_grafana(contacts: ContactSettings) -> None:
    from receiver import contact_points  # noqa: PLC0415 (YAML is slow to load, and only this command writes it)

    if contacts.alerting_dir is None:
        return
    if contacts.is_sent_by_receiver:
        contact_points.write_contact_points(contacts.alerting_dir, [])
        typer.echo("alarms: sent by the receiver itself (ALARM_SENDER), so Grafana gets no contact points")
        return
    channels = [
        *([contact_points.make_ntfy_channel(*contacts.ntfy)] if contacts.ntfy else []),
        *([contact_points.make_telegram_channel(*contacts.telegram)] if contacts.telegram else []),
        *([contact_points.make_webhook_channel(*contacts.webhook)] if contacts.webhook else []),
    ]
    typer.echo(contact_points.write_contact_points(contacts.alerting_dir, channels))
