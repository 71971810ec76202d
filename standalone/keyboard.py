"""Keys that a person presses while the live view is shown."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def has_browser(environment: Mapping[str, str]) -> bool:
    """Whether a browser opens in a window of its own; one that draws in this terminal would fight with the view."""
    return sys.platform == "darwin" or any(environment.get(name) for name in _DISPLAYS)


@contextlib.contextmanager
def watch_key(key: str, act: Callable[[], object], *, wanted: bool) -> Iterator[bool]:
    """Call `act` at each press of `key` while the context lasts, if that is wanted; whether anybody listens.

    Ctrl-C stays a signal. The terminal is left as it was.
    """
    if not wanted or not sys.stdin.isatty():
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read_key() -> None:
        if key.encode() in os.read(descriptor, 64):
            act()

    tty.setcbreak(descriptor, termios.TCSANOW)
    loop.add_reader(descriptor, read_key)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
