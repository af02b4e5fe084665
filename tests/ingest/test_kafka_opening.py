"""Where the log on Kafka is opened: what is said where its extra is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.kafka_opening import PACKAGES

WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {packages!r}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path = [Without(finder) for finder in sys.meta_path]
"""

OPEN = """
from ingest.errors import StoreError
from ingest.kafka_opening import open_kafka_log
from ingest.kafka_settings import KafkaSettings

try:
    open_kafka_log(KafkaSettings(bootstrap="127.0.0.1:1", connect_seconds=0.1))
except StoreError as error:
    print(error.sentence, error.hint, error.code, sep="|")
"""

AGAIN = """
import faust
from ingest.kafka_opening import need_distributed

need_distributed()
print("there")
"""

COMMAND = """
import sys
from deploy.cli import main
sys.exit(main({arguments!r}))
"""

EMBEDDED = "import deploy.embedded, deploy.local, deploy.running, deploy.stage\nprint('there')"

IMPORT = "import ingest.kafka_opening, ingest.kafka_settings, sys\nprint('kafka' in sys.modules)"


def said(program: str) -> str:
    """What a Python of its own prints that runs ``program``."""
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout.strip()


@pytest.mark.parametrize(
    ("packages", "named"),
    [
        (["kafka"], "kafka-python"),
        (["zstandard"], "zstandard"),
        (["kafka", "zstandard"], "kafka-python, zstandard"),
        (["elasticsearch"], "elasticsearch"),
    ],
)
def test_where_the_extra_is_missing_its_name_is_said(packages: list[str], named: str) -> None:
    sentence, hint, code = said(WITHOUT.format(packages=packages) + OPEN).split("|")
    assert sentence == f"Kafka and Elasticsearch need {named}, not installed here."
    assert hint == "pip install 'wirewatch[distributed]'"
    assert code == "extra-missing"


def test_what_is_imported_already_is_there() -> None:
    pytest.importorskip("faust", reason="the extra for Kafka is not installed")
    assert said(AGAIN) == "there"


def test_the_settings_and_the_way_to_the_log_need_no_extra() -> None:
    assert said(IMPORT) == "False"


def test_one_machine_needs_no_extra() -> None:
    assert said(WITHOUT.format(packages=list(PACKAGES)) + EMBEDDED) == "there"


@pytest.mark.parametrize(
    "verb",
    [
        *(["stage", name] for name in ("poll", "tag", "group", "index", "alert")),
        ["serve"],
        ["setup"],
        ["search", "x"],
    ],
    ids=" ".join,
)
def test_without_the_extra_every_command_of_many_machines_says_what_to_install(
    verb: list[str], tmp_path: Path
) -> None:
    given = ["--data", str(tmp_path), "--set=log.backend=kafka"]
    given += ["--set=index.backend=elasticsearch", *verb]
    blocked = WITHOUT.format(packages=list(PACKAGES))
    command = [sys.executable, "-c", blocked + COMMAND.format(arguments=given)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    sentence, hint = ran.stderr.splitlines()
    assert sentence.startswith("wirewatch: Kafka and Elasticsearch need kafka-python, ")
    assert hint.strip() == "pip install 'wirewatch[distributed]'"
