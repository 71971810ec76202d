"""The commands of `envoy-receiver`. Each does one thing and says in plain words what came of it."""

import typer

from receiver.cli import backup, check, imports, keys, outputs, run, setup, sites, status, support, token

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Receives readings and keeps them."
)
app.command("run")(run.run)
app.command("check")(check.check)
app.command("status")(status.print_status)
app.command("setup")(setup.set_up_store)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("support")(support.make_archive)
app.command("import")(imports.take_past)
app.add_typer(sites.app, name="sites")
app.add_typer(keys.app, name="keys")
app.add_typer(outputs.app, name="outputs")
app.add_typer(token.app, name="token")

__all__ = ["app"]
