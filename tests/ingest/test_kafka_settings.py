"""F53: who would send in plain text over a network is warned."""

from __future__ import annotations

import pytest

from ingest.kafka_settings import KafkaSettings, Security, plain_text_warning

HERE = (
    "127.0.0.1:9092",
    "127.8.9.1:9092",
    "localhost:9092",
    "LOCALHOST.:9092",
    "[::1]:9092",
    "127.0.0.1:9092, [::1]:9093",
)
ELSEWHERE = (
    "10.0.0.5:9092",
    "kafka:9092",
    "localhost.example:9092",
    "[2001:db8::1]:9092",
    "0.0.0.0:9092",
    "kafka",
)


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("bootstrap", ELSEWHERE)
def test_f53_plain_text_beyond_this_machine_is_warned_of_with_the_settings(
    bootstrap: str, security: Security
) -> None:
    found = plain_text_warning(KafkaSettings(bootstrap=bootstrap, security=security))
    assert bootstrap in found
    for word in ("SASL_SSL", "[log] security", "ca_file"):
        assert word in found


@pytest.mark.parametrize("bootstrap", HERE)
def test_f53_this_machine_needs_no_tls(bootstrap: str) -> None:
    assert plain_text_warning(KafkaSettings(bootstrap=bootstrap)) == ""


@pytest.mark.parametrize("security", ["SSL", "SASL_SSL"])
def test_f53_tls_needs_no_warning(security: Security) -> None:
    assert plain_text_warning(KafkaSettings(bootstrap="kafka:9092", security=security)) == ""


def test_f53_only_the_brokers_elsewhere_are_named_and_the_password_where_there_is_one() -> None:
    mixed = KafkaSettings(bootstrap="127.0.0.1:9092, kafka:9093", security="SASL_PLAINTEXT")
    found = plain_text_warning(mixed)
    assert "127.0.0.1" not in found
    assert "password" in found
    assert "password" not in plain_text_warning(KafkaSettings(bootstrap="kafka:9093"))
