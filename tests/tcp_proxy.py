"""A TCP proxy on loopback that can be a black hole, slow, or gone; and a Kafka behind it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.servers.ports import HOST, free_port


class Proxy:
    """Carries what comes to ``address`` to ``target`` (a port) and back.

    Attributes:
        delay_seconds: How long every piece is held.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.address = f"{HOST}:{self.port}"
        self.delay_seconds = 0.0
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._ends: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.up()

    def black_hole(self) -> None:
        """Take connections and bytes, and carry none of them."""
        self._flows.clear()

    def flow(self) -> None:
        """Carry on, with what was held meanwhile."""
        self._flows.set()

    def up(self) -> None:
        """Take connections."""
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections, and end those there are."""
        if self._listener is not None:
            with contextlib.suppress(OSError):  # wakes who accepts; not everywhere allowed
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in list(self._ends):
            with contextlib.suppress(OSError):  # the other side was first
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:  # it is down
                return
            try:
                far = socket.create_connection((HOST, self._target))
            except OSError:  # the target is away
                near.close()
                continue
            self._ends |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # one side is gone: so shall be the other
            while piece := source.recv(65_536):
                self._flows.wait()
                time.sleep(self.delay_seconds)
                sink.sendall(piece)
        with contextlib.suppress(OSError):  # it was the other that went
            sink.shutdown(socket.SHUT_RDWR)
        source.close()
        self._ends.discard(source)


class ProxiedKafka(KafkaServer):
    """As ``KafkaServer``, and tells its clients to come to ``proxy``."""

    def __init__(self, folder: Path, files: ServerFiles) -> None:
        super().__init__(folder, files, quick=True)
        self.proxy = Proxy(self.port)

    def prepare(self) -> None:
        """As ever, but for the address that clients are told: the last line of a name counts."""
        super().prepare()
        with (self.folder / "server.properties").open("a", encoding="ascii") as file:
            file.write(f"advertised.listeners=PLAINTEXT://{self.proxy.address}\n")
