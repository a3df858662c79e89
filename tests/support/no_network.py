"""No test reaches the network: sockets to anything but this machine fail the test by name."""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

LOCAL_NAMES = {'', 'localhost', 'localhost.localdomain', 'ip6-localhost', socket.gethostname()}
# A closed port: what a test starts in a process of its own, and goes through a proxy, ends there.
NOWHERE = 'http://127.0.0.1:9'
PROXIES = {
    **dict.fromkeys(('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'), NOWHERE),
    **dict.fromkeys(('no_proxy', 'NO_PROXY'), 'localhost,127.0.0.1,::1'),
}


def is_local(host: Any) -> bool:
    """Whether a host, by name or address, is this machine."""
    host = host.decode() if isinstance(host, bytes) else host
    if host is None or host.lower() in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(host.partition('%')[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@contextlib.contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse names and addresses of other machines, in all threads of this process.

    The error is none that code which copes with a missing network catches, and is kept in the list
    for a thread whose errors nobody sees. Processes that a test starts get :data:`PROXIES`.

    Yields:
        The refused hosts with the test that asked for them.
    """
    refused: list[str] = []

    def check(host: Any) -> None:
        if not is_local(host):
            test = os.environ.get('PYTEST_CURRENT_TEST', 'outside of a test').partition(' (')[0]
            refused.append(f'{test} reached for the network: {host}')
            pytest.fail(refused[-1])

    def guard(function: Any, address_at: int) -> Any:
        def guarded(self: socket.socket, *arguments: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                check(arguments[address_at][0])
            return function(self, *arguments)

        return guarded

    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        check(host)
        return look_up(host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name, address_at in dict(connect=0, connect_ex=0, sendto=-1).items():
            patch.setattr(socket.socket, name, guard(getattr(socket.socket, name), address_at))
        patch.setattr(socket, 'getaddrinfo', getaddrinfo)
        for name, value in PROXIES.items():
            patch.setenv(name, value)
        yield refused
