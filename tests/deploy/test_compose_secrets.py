"""make-secrets.sh and accounts.sh: run, and their work used as the servers and clients would."""

from __future__ import annotations

import base64
import json
import os
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from search.sealed_secrets import SealedSecrets
from tests.conftest import ROOT
from tests.deployment import DEPLOY

ROLES = DEPLOY / "compose" / "roles"
CLUSTER_PRIVILEGES = {"monitor", "manage_index_templates"}
INDEX_PRIVILEGES = {"manage", "write", "read", "monitor", "maintenance", "view_index_metadata"}


def make_secrets(folder: Path) -> None:
    script = DEPLOY / "make-secrets.sh"
    subprocess.run(["sh", str(script), str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployment") / "secrets"
    make_secrets(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_every_secret_of_the_compose_file_is_made(secrets: Path) -> None:
    wanted = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["secrets"]

    for name, where in wanted.items():
        assert where["file"] == f"./secrets/{name}"
        assert (secrets / name).stat().st_size > 0, name


def test_a_second_run_changes_nothing_and_makes_what_was_removed(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    first = contents(tmp_path)
    make_secrets(tmp_path)
    assert contents(tmp_path) == first
    (tmp_path / "kafka.crt").unlink()
    make_secrets(tmp_path)

    renewed = {name for name, text in contents(tmp_path).items() if text != first[name]}
    assert renewed == {"kafka.crt", "kafka.key", "kafka.pem"}


def test_only_its_owner_opens_the_folder_and_nobody_needs_the_authoritys_key(secrets: Path) -> None:
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE((secrets / "ca.key").stat().st_mode) == 0o400
    assert "ca.key" not in (DEPLOY / "compose.yaml").read_text("utf-8")


def test_version_control_and_the_image_leave_secrets_out() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "deploy/secrets/ca.key"], cwd=ROOT, capture_output=True, check=False
    )

    assert ignored.returncode == 0
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", ["kafka", "elasticsearch", "kibana"])
def test_a_strict_client_trusts_the_certificate_for_its_own_name_alone(
    secrets: Path, name: str
) -> None:
    shake_hands(secrets, name, asked_for=name)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(secrets, name, asked_for="other.example")


def shake_hands(secrets: Path, name: str, *, asked_for: str) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(secrets / f"{name}.crt", secrets / f"{name}.key")
    client = ssl.create_default_context(cafile=str(secrets / "ca.crt"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's own default from 3.13 on
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=asked_for),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):  # TLS 1.3 takes two turns each
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert sides[0].version() == "TLSv1.3"


def test_the_key_seals_what_channels_need(secrets: Path) -> None:
    sealed = SealedSecrets(str(secrets / "secret.key"))

    kept = sealed.keep("a word")

    assert "word" not in kept
    assert sealed.reveal(kept) == "a word"


class Elasticsearch(BaseHTTPRequestHandler):
    """A stand-in for its security API, which the real one of the tests does not have."""

    asked: list[tuple[str, str, str]]
    password: str

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        login = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
        known = login == f"elastic:{self.password}"
        self.asked.append((self.command, self.path, body))
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(b"{}" if known else b'{"error": "unable to authenticate"}')

    do_POST = do_PUT  # noqa: N815 - so http.server wants it

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def elasticsearch(secrets: Path, password: str) -> Iterator[tuple[str, type[Elasticsearch]]]:
    handler = type("Handler", (Elasticsearch,), {"asked": [], "password": password})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(secrets / "elasticsearch.crt", secrets / "elasticsearch.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://localhost:{server.server_port}", handler
        server.shutdown()
        thread.join()


def make_accounts(secrets: Path, url: str) -> subprocess.CompletedProcess[str]:
    given = {"ELASTICSEARCH_URL": url, "SECRETS": str(secrets), "ROLES": str(ROLES)}
    script = DEPLOY / "compose" / "accounts.sh"
    return subprocess.run(
        ["bash", str(script)],
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_elasticsearch_is_given_each_role_a_user_for_it_and_kibanas_password(secrets: Path) -> None:
    password = (secrets / "elastic.password").read_text("ascii")
    with elasticsearch(secrets, password) as (url, server):
        done = make_accounts(secrets, url)
        asked = {path: json.loads(body) for _, path, body in server.asked}

    assert done.returncode == 0, done.stderr
    kibana = asked.pop("/_security/user/kibana_system/_password")
    assert kibana["password"] == (secrets / "kibana_system.password").read_text("ascii")
    names = {file.stem for file in ROLES.glob("*.json")}
    assert set(asked) == {
        f"/_security/{kind}/{name}" for name in names for kind in ("role", "user")
    }
    for name in names:
        assert asked[f"/_security/role/{name}"] == json.loads((ROLES / f"{name}.json").read_text())
        own = (secrets / f"{name}.password").read_text("ascii")
        assert asked[f"/_security/user/{name}"] == {"password": own, "roles": [name]}


def test_a_refusal_is_shown_and_ends_it(secrets: Path) -> None:
    with elasticsearch(secrets, "another") as (url, server):
        done = make_accounts(secrets, url)

    assert done.returncode != 0
    assert "unable to authenticate" in done.stdout
    assert len(server.asked) == 1


@pytest.mark.parametrize("file", sorted(ROLES.glob("*.json")), ids=lambda file: str(file.stem))
def test_a_role_grants_what_it_is_for_and_only_in_our_indices(file: Path) -> None:
    role = json.loads(file.read_text("utf-8"))
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))

    assert set(role) <= {"description", "cluster", "indices", "applications"}
    assert set(role["cluster"]) <= CLUSTER_PRIVILEGES
    for grant in role["indices"]:
        assert grant["names"] == ["wirewatch-*"]
        assert set(grant["privileges"]) <= INDEX_PRIVILEGES
    users = [one.get("environment", {}) for one in compose["services"].values()]
    assert [one for one in users if one.get("WIREWATCH_INDEX__USER") == file.stem]
