"""A child that ignores every polite request, and has a child of its own that does too."""

import signal
import subprocess
import sys
import time


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stderr.write("I stay\n")
    sys.stderr.flush()
    time.sleep(600)


if __name__ == "__main__":
    main()
