"""Alarms: the receiver watches every gateway itself, over any store, and tells people once when one begins and ends.

- `limits`, `definitions`: what is watched, from when it is an alarm, and what to do
- `facts`, `reading`: what is known of a gateway at one moment, asked of the store
- `judgement`, `house_judgement`: facts to conditions (pure); what cannot be judged is unknown
- `states`: pending, firing, ended (pure)
- `book`, `book_file`: states and outgoing messages on disk; one commit holds a change and the messages that tell of it
- `messages`, `hours`: what is told, and when it may be (pure)
- `senders`: ntfy, Telegram, webhook, e-mail
- `delivery`, `watcher`: the two tasks
"""
