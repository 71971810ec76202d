"""Ways to tell people: ntfy, Telegram, a webhook, e-mail. Each makes one attempt; `alarms.delivery` repeats."""

from receiver.alarms.senders.base import AlarmSender, SendError
from receiver.alarms.senders.choose import make_senders

__all__ = ["AlarmSender", "SendError", "make_senders"]
