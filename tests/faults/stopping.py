"""Programs that stand still for a while, as a server does that does not answer."""

import os
import signal
import time
from pathlib import Path


def stop(process):
    """Have all threads of a process stand still.

    What one of them has taken to answer meanwhile would be waited for by the system, and nobody who
    waits in it can be killed.
    """
    os.kill(process, signal.SIGSTOP)
    while not all(map(_stands, Path(f"/proc/{process}/task").iterdir())):
        time.sleep(0.001)


def _stands(thread):
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
