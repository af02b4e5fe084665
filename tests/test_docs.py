"""Documentation cannot rot: what it says of commands, settings, files and faults is checked."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.cli import app  # noqa: F401 - a broken command line fails here first
from deploy.reference import pages
from tests.conftest import ROOT

FAULTS = [
    *(f"F{number:02}" for number in range(1, 28)),
    *("F32", "F33", "F34", "F35", "F39", "F43", "F44", "F45", "F46", "F47"),
    *("F48", "F49", "F50", "F51", "F52", "F54", "F56", "F57", "F59"),
    *("F60", "F61", "F62", "F63", "F64", "F65", "F66"),
]
PAPERS = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "DECISIONS.md",
    "LICENSE",
    "NOTICE",
]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
MAX_LINES = 300
READ_STARTER = """
from datetime import UTC, datetime
from pathlib import Path
from ingest.feed_list import read_feed_list
body = Path("deploy/starter.opml").read_bytes()
found = read_feed_list(body, "starter", added=datetime.now(UTC))
print(len(found.added), len(found.skipped), len(found.refused))
"""


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("name", ["commands.md", "settings.md"])
def test_reference_page_is_what_the_code_says(name: str) -> None:
    written = (ROOT / "docs" / name).read_text("utf-8")

    assert pages()[name] == written, "run: python -m deploy.reference docs"


def test_every_paper_is_there_and_links_lead_somewhere() -> None:
    for name in PAPERS:
        assert (ROOT / name).stat().st_size > 0, name
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in LINK.findall(page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_promised_fault_has_a_test() -> None:
    names = {file.name[5:8].upper() for file in (ROOT / "tests" / "faults").glob("test_f*.py")}
    for row in FAULTS:
        assert row in names, f"no test file for {row}"


def test_the_two_commands_of_the_readme_are_targets_and_ci_calls_the_tests() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")

    for target in ("run", "test"):
        assert f"\n    make {target}\n" in readme
        assert f"\n{target}: " in makefile
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_command_in_the_papers_parses() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text("utf-8").replace("…", "x")
        for line in re.findall(r"^    (?:\$ )?(wirewatch .+)$", text, flags=re.MULTILINE):
            words = shlex.split(line.split("  #")[0], comments=True)
            verbs = [word for word in words[1:] if not word.startswith("-")][:2]
            command = f"wirewatch {verbs[0]}"
            known = pages()["commands.md"]
            assert f"## `{command}" in known, f"{page.name}: {line}"


def test_modules_fit_on_two_screens() -> None:
    for stage in ("ingest", "processors", "search", "deploy"):
        for module in (ROOT / stage).rglob("*.py"):
            lines = module.read_text("utf-8").count("\n")
            assert lines <= MAX_LINES, f"{module.relative_to(ROOT)} has {lines} lines"


def test_the_repository_names_no_machine_and_no_index() -> None:
    forbidden = re.compile(r"--index-url|--extra-index|files\.pythonhosted|pypi\.org/simple|/root/")
    for file in [*tracked("*.py"), *tracked("*.txt"), *tracked("*.md"), *tracked("*.toml")]:
        if file.name == Path(__file__).name:
            continue
        found = forbidden.search(file.read_text("utf-8"))
        assert found is None, f"{file.relative_to(ROOT)}: {found}"


def test_the_lock_files_pin_every_dependency_with_a_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    distributed = project["optional-dependencies"]["distributed"]
    extras = {"requirements-dev.txt": distributed, "requirements-distributed.txt": distributed}
    for name in ("requirements.txt", *extras):
        text = (ROOT / name).read_text("utf-8")
        pinned = set(re.findall(r"^([a-z0-9-]+)==", text, flags=re.MULTILINE))
        needed = [*project["dependencies"], *extras.get(name, [])]
        wanted = {re.split(r"[<>=\[]", one)[0].lower() for one in needed}
        assert wanted <= pinned, wanted - pinned
        for block in re.split(r"\n(?=[a-z])", text.strip()):
            assert "--hash=sha256:" in block, block[:80]


def test_the_shipped_starter_list_is_read_whole() -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            READ_STARTER,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    added, skipped, refused = map(int, ran.stdout.split())
    assert added >= 40
    assert (skipped, refused) == (0, 0)
