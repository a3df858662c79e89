"""Headless Chromium, driven through its own protocol over two pipes: no driver is needed."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
# The last ones keep it from looking for anything but the page.
FLAGS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
    '--remote-debugging-pipe', '--window-size=1200,1400', '--disable-quic', '--disable-sync',
    '--disable-background-networking', '--disable-component-update',
]  # fmt: skip


def find_chromium() -> str | None:
    """Path of the program, None without."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page: what it asked for, what it says.

    Attributes:
        requests (list[str]): Addresses of everything that it fetched or tried to.
    """

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._buffer, self._number = write, read, b'', 0
        self._session: str | None = None
        self.requests: list[str] = []
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        attached = self.send('Target.attachToTarget', targetId=target, flatten=True)
        self._session = attached['sessionId']
        for domain in ('Page', 'Network', 'Runtime', 'DOM'):
            self.send(f'{domain}.enable')

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        message = dict(id=self._number, method=method, params=params)
        if self._session:
            message['sessionId'] = self._session
        os.write(self._write, json.dumps(message).encode() + b'\0')
        while True:
            found = self._next()
            if found.get('id') == self._number:
                assert 'error' not in found, (method, found)
                return found['result']

    def _next(self) -> dict[str, Any]:
        while b'\0' not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], 300)
            part = os.read(self._read, 1 << 20) if ready else b''
            assert part, 'chromium ended, or was silent for five minutes'
            self._buffer += part
        first, _, self._buffer = self._buffer.partition(b'\0')
        message = json.loads(first)
        if message.get('method') == 'Network.requestWillBeSent':
            self.requests.append(message['params']['request']['url'])
        return message

    def open(self, address: str) -> None:
        """Go to an address."""
        self.send('Page.navigate', url=address)

    def evaluate(self, script: str) -> Any:
        """The value of an expression of JavaScript."""
        return self.send('Runtime.evaluate', expression=script, returnByValue=True)['result'].get(
            'value'
        )

    def wait_for(self, script: str, seconds: float = 300) -> None:
        """Ask for an expression until it is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(f'!!({script})'):  # a node has no value of its own
            assert time.monotonic() < end, (script, self.evaluate('document.body.innerText'))
            time.sleep(0.2)

    def choose_file(self, selector: str, path: Path) -> None:
        """Give a file to an input of the page, as a reader does."""
        root = self.send('DOM.getDocument')['root']['nodeId']
        node = self.send('DOM.querySelector', nodeId=root, selector=selector)['nodeId']
        self.send('DOM.setFileInputFiles', nodeId=node, files=[str(path)])

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        data = self.send('Page.captureScreenshot', format='png')['data']
        path.write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def open_chromium(program: str, profile: Path) -> Iterator[Page]:
    """Start it with an empty profile; gives an empty page.

    Args:
        program: Of :func:`find_chromium`.
        profile: A folder that is made.
    """
    import fcntl  # not on Windows

    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    # It reads descriptor 3 and writes 4; copies above them are not overwritten by each other.
    ours = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, from_write)]

    def place() -> None:
        os.dup2(ours[0], 3)
        os.dup2(ours[1], 4)

    child = subprocess.Popen(
        [program, *FLAGS, f'--user-data-dir={profile}'],
        preexec_fn=place,
        pass_fds=(3, 4),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (to_read, from_write, *ours):
        os.close(end)
    try:
        yield Page(to_write, from_read)
    finally:
        child.kill()
        child.wait()
        os.close(to_write)
        os.close(from_read)
