"""Opening the log on Kafka: its client belongs to an extra that may be missing."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ingest.errors import StoreError
from ingest.kafka_settings import KafkaSettings
from ingest.log import Log

PACKAGES = {
    "kafka": "kafka-python",
    "zstandard": "zstandard",
    "faust": "faust-streaming",
    "aiokafka": "aiokafka",
    "cramjam": "cramjam",
    "elasticsearch": "elasticsearch",
    "cryptography": "cryptography",
}
"""The extra ``distributed``: module and package."""


def need_distributed() -> None:
    """Nothing, where the extra is installed. Raises StoreError where a part of it is missing."""
    missing = [package for module, package in PACKAGES.items() if not _is_there(module)]
    if missing:
        raise StoreError(
            f"not installed: {', '.join(missing)}",
            sentence=f"Kafka and Elasticsearch need {', '.join(missing)}, not installed here.",
            hint="pip install 'wirewatch[distributed]'",
            code="extra-missing",
        )


def _is_there(module: str) -> bool:
    # Faust, once imported, stands in place of its module without a spec: to look for it raises.
    return module in sys.modules or find_spec(module) is not None


def open_kafka_log(settings: KafkaSettings) -> Log:
    """The log on the cluster that ``settings`` name.

    Raises:
        StoreError: the extra is missing, TLS or the login fails, or Kafka refuses a setting.
        UnavailableError: no broker answers within five seconds.
        FileError: a file that the settings name cannot be used.
    """
    need_distributed()
    from ingest.kafka_diagnosis import need_listener  # noqa: PLC0415  only here is
    from ingest.kafka_log import KafkaLog  # noqa: PLC0415  the extra needed
    from ingest.kafka_security import security_options  # noqa: PLC0415  as above

    security_options(settings)  # a file that cannot be used is named before anybody is asked
    need_listener(settings)
    return KafkaLog(settings)
