"""How a process of ours ends: in good order at the first signal, at once at the second."""

from __future__ import annotations

import asyncio
import signal


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and the first Ctrl-C set ``stop``; a second signal ends at once.

    At once is the kernel's own way: Python's would wait for the threads, and what `kill -9` may
    do at any moment, Ctrl-C may, too.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in numbers:
        loop.add_signal_handler(number, end)
