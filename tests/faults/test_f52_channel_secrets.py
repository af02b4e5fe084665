"""F52: what lets somebody speak to a receiver shows nowhere but in the file of secrets."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from deploy.doctor import examine
from tests.receiver import Receiver
from tests.shell import carry, client, opened

CANARY = "c4nary-9f8e7d6c5b4a"


async def test_f52_no_secret_of_a_channel_shows_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    async with Receiver(answers=[500] * 20) as receiver:
        targets = {
            "hook": f"http://me:{CANARY}@{receiver.host}/in?token={CANARY}",
            "chat": f"json://me:{CANARY}@{receiver.host}/{CANARY}?-token={CANARY}",
            "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY.replace('-', '')}0123456789/",
            "telegram": f"tgram://123456789:{CANARY.replace('-', '_')}/12345/",
        }
        async with (
            opened(tmp_path, f"net.allow={receiver.host}") as shell,
            client(shell) as api,
            client(shell, local=True) as here,
        ):
            for name, target in targets.items():
                made = await api.post("/api/channels", json={"name": name, "target": target})
                said.append(made.text)
                if name in ("slack", "telegram"):  # looked at only: tests reach nobody out there
                    continue
                assert made.status_code == 201, made.text
                body = {"name": name, "query": "truce", "to": [target]}
                said.append((await api.post("/api/subscriptions", json=body)).text)
                said.append((await api.post(f"/api/channels/{name}/test")).text)
            await carry(shell)
            for path in ("/api/channels", "/api/subscriptions", "/api/alerts", "/metrics"):
                said += [(await api.get(path)).text]
            said += [(await here.get("/local/alerts")).text]
            said += [one.sentence + one.remedy for one in examine(shell)]
        assert len(receiver.got) >= 4
    captured = capsys.readouterr()
    for text in (*said, captured.out, captured.err):
        assert CANARY not in text
        assert CANARY.replace("-", "_") not in text
    files = [one for one in (tmp_path / "data").rglob("*") if one.is_file()]
    holding = [one for one in files if CANARY.encode() in one.read_bytes()]
    assert [one.name for one in holding] == ["secrets.json"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert CANARY in json.dumps(json.loads(holding[0].read_text()))
