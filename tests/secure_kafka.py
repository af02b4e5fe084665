"""A Kafka that listens with TLS and with logins, on certificates of an authority of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from deploy.servers.kafka import KafkaServer
from deploy.servers.launcher import ServerFiles
from deploy.servers.ports import HOST, free_port

USER, PASSWORD = "wire", "canary-7c1e"

LISTENERS = {
    "TLS": "SSL",
    "OTHER": "SSL",
    "OLD": "SSL",
    "MUTUAL": "SSL",
    "LOGIN": "SASL_SSL",
    "BARE": "SASL_PLAINTEXT",
}
"""Our names of the listeners, and Kafka's protocol of each."""

_LOGIN = f"""\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.{{name}}.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";
listener.name.{{name}}.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class SecureKafka(KafkaServer):
    """As ``KafkaServer``, with a port for each of ``LISTENERS`` beside the one in plain text.

    ``OTHER`` shows a certificate for another name, ``OLD`` one that has expired, ``MUTUAL`` asks
    for one of ours; ``BARE`` takes the login without TLS.
    """

    def __init__(self, folder: Path, files: ServerFiles) -> None:
        super().__init__(folder, files, quick=True)
        self.ports = {name: free_port() for name in LISTENERS}
        self.authority = trustme.CA()

    @property
    def ca_file(self) -> str:
        """The authority's certificate."""
        return str(self.folder / "ca.pem")

    def at(self, listener: str) -> str:
        """Host and port of ``listener``."""
        return f"{HOST}:{self.ports[listener]}"

    def add_scram(self) -> None:
        """Make the user known to SCRAM too: its proofs are kept by the cluster."""
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            admin.alter_user_scram_credentials(
                [
                    UserScramCredentialUpsertion(
                        USER, ScramMechanism.SCRAM_SHA_512, PASSWORD, iterations=4096
                    )
                ]
            )
        finally:
            admin.close()

    def prepare(self) -> None:
        """As without TLS, and the listeners added: the last line of a name counts."""
        super().prepare()
        self.authority.cert_pem.write_to_path(self.ca_file)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        write_pem(self.folder / "good.pem", self.authority.issue_cert(HOST))
        write_pem(self.folder / "other.pem", self.authority.issue_cert("kafka.example"))
        write_pem(self.folder / "old.pem", self.authority.issue_cert(HOST, not_after=yesterday))
        settings = self.folder / "server.properties"
        text = settings.read_text("ascii")
        with settings.open("a", encoding="ascii") as file:
            for name in ("listeners", "advertised.listeners", "listener.security.protocol.map"):
                (line,) = [one for one in text.splitlines() if one.startswith(f"{name}=")]
                pairs = LISTENERS if name.endswith("map") else dict.fromkeys(LISTENERS, "")
                more = [
                    f"{one}:{protocol}" if protocol else f"{one}://{self.at(one)}"
                    for one, protocol in pairs.items()
                ]
                file.write(f"{','.join([line, *more])}\n")
            file.write("ssl.keystore.type=PEM\nssl.keystore.location=good.pem\n")
            file.write("ssl.truststore.type=PEM\nssl.truststore.location=ca.pem\n")
            file.write("listener.name.other.ssl.keystore.type=PEM\n")
            file.write("listener.name.other.ssl.keystore.location=other.pem\n")
            file.write("listener.name.old.ssl.keystore.type=PEM\n")
            file.write("listener.name.old.ssl.keystore.location=old.pem\n")
            file.write("listener.name.mutual.ssl.client.auth=required\n")
            for name in ("login", "bare"):
                file.write(_LOGIN.format(name=name))


def write_pem(path: Path, certificate: trustme.LeafCert, *, passphrase: bytes = b"") -> None:
    """Key and certificates in one file; the key in PKCS 8, which alone Kafka reads."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    closed = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed)
    path.write_bytes(text + b"".join(one.bytes() for one in certificate.cert_chain_pems))
