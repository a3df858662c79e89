"""End the processes of a launcher when the launcher is gone."""

import os
import threading
import time

import psutil

# Seconds between two looks at the launcher.
INTERVAL = 1.0
# torchrun tells it its processes.
LAUNCHED = 'TORCHELASTIC_RUN_ID'


def end_with_launcher() -> None:
    """Watch the launcher of this process, if torchrun started it, and end when it is gone.

    A launcher that was killed (`kill -9`, out of memory) leaves its processes: they train on, or
    wait for each other for ever, with the GPUs and the port. What they write is complete or absent,
    so they may end at any moment.
    """
    if LAUNCHED in os.environ:
        end_with_parent()


def end_with_parent(interval: float = INTERVAL) -> None:
    """End this process, at once and with status 1, when its parent has ended.

    A thread looks every `interval` seconds: the signal that Linux gives at a parent's death comes
    when the thread ends that started the child, and other systems have none.
    """
    number = os.getppid()
    parent = psutil.Process(number)

    def watch() -> None:
        # On Windows the number stays; its process, by the time of its start, does not.
        while os.getppid() == number and parent.is_running():
            time.sleep(interval)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
