"""The suite reaches loopback only. Whoever tries the world fails, even when the code under test swallows the error."""

import ipaddress
import socket
from typing import Any

attempts: list[str] = []  # what the running test tried; its guard reads and empties it


class OutsideWorldError(OSError):
    """A test tried to reach a machine that is not this one."""


def close() -> None:
    """Refuse every connection and every name that leads away from this machine."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    sendto = socket.socket.sendto

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check(address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, *args: Any) -> int:
        _check(args[-1])
        return sendto(self, *args)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check((host,))
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = guarded_connect  # type: ignore[assignment, method-assign]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[assignment, method-assign]
    socket.socket.sendto = guarded_sendto  # type: ignore[assignment, method-assign]
    socket.getaddrinfo = guarded_getaddrinfo


def _check(address: Any) -> None:
    if not isinstance(address, tuple) or _is_here(address[0]):  # a unix socket's address is a path
        return
    where = ":".join(str(part) for part in address[:2])
    sentence = (
        f"the test tried to reach {where}; tests stay on this machine: "
        "give the code a double on 127.0.0.1, or a provider that does not connect"
    )
    attempts.append(sentence)
    raise OutsideWorldError(sentence)


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        parsed = ipaddress.ip_address(name)
    except ValueError:
        return False
    return parsed.is_loopback or parsed.is_unspecified
