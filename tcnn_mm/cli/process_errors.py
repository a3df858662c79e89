"""One line for a process of a command that was lost: a worker of a data loader, another rank."""

import re
import traceback

from tcnn_mm.errors import UserError

# torch's words: the first by its handler of SIGCHLD, the second where that came too late.
_WORKER = re.compile(
    r'DataLoader worker \(pid (?P<pid>\d+)\) is killed by signal: (?P<signal>[^.]+)'
    r'|DataLoader worker \(pid\(s\) (?P<pids>[\d, ]+)\) exited unexpectedly'
)
# Of gloo and of NCCL, when the other end of a connection is gone.
_CONNECTION = re.compile(
    r'gloo/transport|gloo::EnforceNotMet|ncclRemoteError|Connection (?:closed|reset) by peer'
)
# Signal that ended a worker, as torch calls it → who sends it, and what helps.
_SIGNALS = {
    'Killed': ', as the system does when memory is short; free some',
    'Bus error': ': there is no shared memory left; make /dev/shm larger (docker gives 64 MB)',
}


# What the end of another process raises: the last two where it ended while it sent an image.
LOST = RuntimeError, ConnectionError, EOFError
_ENDED = 'has ended, as where memory is short; free some'


def lost_process(error: BaseException) -> str | None:
    """Say which process was lost and why; how to go on is the command's to say.

    Returns:
        None for another error.
    """
    if isinstance(error, UserError):
        return None
    worker = _WORKER.search(str(error))
    if worker:
        who = f'process {worker["pid"] or worker["pids"]}, which reads images for this one,'
        if not worker['signal']:
            return f'{who} {_ENDED}'
        return (
            f'{who} was ended by a signal ({worker["signal"]}){_SIGNALS.get(worker["signal"], "")}'
        )
    if isinstance(error, (ConnectionError, EOFError)):
        frames = traceback.extract_tb(error.__traceback__)
        between = any('multiprocessing' in frame.filename for frame in frames)
        return f'a process that reads images for this one {_ENDED}' if between else None
    if isinstance(error, RuntimeError) and _CONNECTION.search(str(error)):
        return (
            'the connection to another process of this run was lost: that process has ended; its '
            'own output, or that of the launcher, says why'
        )
    return None
