"""A server of one file on the loopback address, for tests of downloads."""

import contextlib
import http.server
import re
import threading
from collections.abc import Iterator

import pytest


class FileServer:
    """Serves one content under any path, with faults that a test asks for.

    Args:
        content: Of every file.

    Attributes:
        ranges: Whether it gives parts of files.
        target: Path that /moved redirects to.
        breaks: The connection ends after so many bytes, as often as this list is long.
        seen: (path, first byte asked for) of each request.
    """

    def __init__(self, content: bytes) -> None:
        self.ranges, self.content = True, content
        self.target = '/files/net.pth'
        self.breaks: list[int] = []
        self.seen: list[tuple[str, int]] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                owner.answer(self)

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        found = re.match(r'bytes=(\d+)-$', request.headers.get('Range', ''))
        first = int(found.group(1)) if found else 0
        self.seen.append((request.path, first))
        if request.path == '/moved':
            request.send_response(302)
            request.send_header('Location', self.target)
            request.end_headers()
            return
        if request.path.startswith('/absent') or first > len(self.content):
            request.send_error(416 if first else 404)
            return
        first = first if self.ranges else 0
        body = self.content[first:]
        request.send_response(206 if first else 200)
        if first:
            end = len(self.content) - 1
            request.send_header('Content-Range', f'bytes {first}-{end}/{len(self.content)}')
        request.send_header('Content-Length', str(len(body)))
        request.end_headers()
        request.wfile.write(body[: self.breaks.pop(0)] if self.breaks else body)

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def serve_file(monkeypatch: pytest.MonkeyPatch, content: bytes) -> Iterator[FileServer]:
    """A server on the loopback address, in a process that may reach out."""
    monkeypatch.delenv('TCNN_OFFLINE', raising=False)
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(name, raising=False)
    server = FileServer(content)
    try:
        yield server
    finally:
        server.close()
