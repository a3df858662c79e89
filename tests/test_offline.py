"""The suite runs without a network: a test that reaches for it fails by name."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest

from tests.support.no_network import is_local, no_network

# Reserved for documentation (RFC 5737): nobody has it.
ELSEWHERE = '192.0.2.1'


def refused(reach):
    """What a function that reaches for the network is told, and whether it was recorded."""
    with no_network() as hosts:
        try:
            reach()
        except Exception as error:  # a fallback that copes with a missing network
            raise AssertionError(f'{error!r} can be caught') from error
        except BaseException as error:
            return str(error), hosts
    return None, hosts


@pytest.mark.parametrize(
    'reach, host',
    [
        (lambda: socket.create_connection((ELSEWHERE, 80), timeout=1), ELSEWHERE),
        (lambda: socket.socket().connect_ex((ELSEWHERE, 80)), ELSEWHERE),
        (lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'', (ELSEWHERE, 53)), ELSEWHERE),
        (lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'', 0, (ELSEWHERE, 53)), ELSEWHERE),
        (lambda: socket.getaddrinfo('example.org', 443), 'example.org'),
        (lambda: socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80)), '2001:db8::1'),
    ],
)
def test_a_socket_to_elsewhere_fails_the_test_by_name(reach, host, stays_offline):
    """By address or name, TCP or UDP: the test and the host are named, and nothing catches it."""
    said, hosts = refused(reach)
    name = 'tests/test_offline.py::test_a_socket_to_elsewhere_fails_the_test_by_name'
    assert said.startswith(name) and said.endswith(f'reached for the network: {host}')
    assert hosts == [said]


def test_a_thread_cannot_hide_it():
    """The error ends in the thread, the record does not."""

    def reach():
        with contextlib.suppress(BaseException):
            socket.getaddrinfo('example.org', 443)

    with no_network() as hosts:
        thread = threading.Thread(target=reach)
        thread.start()
        thread.join()
    assert len(hosts) == 1


def test_this_machine_is_let_through():
    """Servers of a test, the process group and Unix sockets work as ever."""
    assert all(map(is_local, ('localhost', '127.0.0.5', '::1', '0.0.0.0', socket.gethostname())))
    with socket.create_server(('127.0.0.1', 0)) as server:
        socket.create_connection(server.getsockname()).close()
    for family in {getattr(socket, 'AF_UNIX', socket.AF_INET)} - {socket.AF_INET}:
        ours, theirs = socket.socketpair(family)
        ours.close()
        theirs.close()


def test_a_process_of_a_test_ends_at_a_closed_port():
    """Downloads of a fresh interpreter go to a proxy that is not there."""
    assert urllib.request.getproxies()['https'] == 'http://127.0.0.1:9'
    script = 'import urllib.request; urllib.request.urlopen("http://example.org", timeout=20)'
    done = subprocess.run(
        [sys.executable, '-c', script], env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 1 and 'refused' in done.stderr.lower()
