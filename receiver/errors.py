"""The receiver's error tree.

    ReceiverError
      ReceiverSettingError  a setting or a file of the state directory is missing or wrong; names it and the remedy
      RefusedError          a request is refused: which problem the sender hears, and a reason for our log and metrics
      BusyError             nothing was taken, because too much waits for the store; try again later
      BackupError           a backup or a restore cannot be done like this
      BookError             the file of the alarms cannot be used (`receiver.alarms.book_file`)

Stores have `receiver.stores.base.StoreUnavailableError`. Every message is a sentence for people and holds no secret.
"""

from shared.problems import Problem


class ReceiverError(Exception):
    """Base of everything the receiver raises on purpose."""


class ReceiverSettingError(ReceiverError):
    """The receiver cannot start like this; the message says what to change."""


class RefusedError(ReceiverError):
    """A request is refused.

    Attributes:
        problem: What the reply to the sender says.
        reason: A few fixed words for log and metric (never a part of the request). The sender does not hear it, so
            that an unknown, a revoked and a wrongly used key look the same from outside.
        retry_after: Seconds after which the same request may succeed, or None.
        close: Whether the connection ends with the reply, because the rest of the body is not worth reading.
        detail: A sentence for the caller: what to change. It names parameters and limits, never a value that was sent.
    """

    def __init__(
        self,
        problem: Problem,
        reason: str,
        *,
        retry_after: int | None = None,
        close: bool = False,
        detail: str | None = None,
    ) -> None:
        super().__init__(f"{problem}: {reason}")
        self.problem = problem
        self.reason = reason
        self.retry_after = retry_after
        self.close = close
        self.detail = detail


class BusyError(ReceiverError):
    """Too many rows wait for the store, or the service is stopping: nothing was taken, try again later."""


class BackupError(ReceiverError):
    """The backup or the restore cannot be done like this; the message says what to do."""
