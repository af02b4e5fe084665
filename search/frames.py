"""Messages over a socket: their length in four bytes, then they themselves."""

from __future__ import annotations

import socket

_LENGTH = 4


def send(channel: socket.socket, message: bytes) -> None:
    """Send one message."""
    channel.sendall(len(message).to_bytes(_LENGTH, "big") + message)


def receive(channel: socket.socket) -> bytes:
    """The next message; empty where the other end was closed."""
    head = _exactly(channel, _LENGTH)
    return _exactly(channel, int.from_bytes(head, "big")) if head else b""


def _exactly(channel: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        piece = channel.recv(min(count - len(found), 1 << 20))
        if not piece:
            return b""
        found += piece
    return bytes(found)
