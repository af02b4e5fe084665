"""F35: a second ``wirewatch run`` on the same data, and a port that somebody else has."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.running import Place, Running


async def test_f35_a_second_run_says_who_runs_and_changes_nothing(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    first = Running(place, "run", "--no-web")
    try:
        await first.ready()
        second = place.call("run", "--no-web", check=False)
        assert second.returncode == 2
        assert f"Already running (pid {first.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        assert await first.answers(), "the socket is still the first one's"
        assert place.call("feeds", "list").returncode == 0
        assert await first.terminate() == 0
    finally:
        first.kill()


async def test_f35_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    place = Place(folder=tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = place.call("run", "--port", str(port), "--json", check=False)
    assert done.returncode == 2
    error = json.loads(done.stderr.splitlines()[-1])
    assert error["error"].startswith(f"Port {port} on 127.0.0.1 is in use")
    assert error["code"] == "port-in-use"
    assert "--port" in error["hint"]
    assert place.call("feeds", "list").returncode == 0, "nothing is left locked"
