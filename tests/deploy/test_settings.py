"""Settings: where values come from, what is refused, and with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.settings import all_settings, load
from deploy.settings_pages import first_file
from ingest.errors import FileError, UsageError


def test_later_places_win_and_origins_say_where_a_value_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "wirewatch.toml"
    file.write_text('[fetch]\ntotal_seconds = 20\nconnect_seconds = 5\n[net]\nallow = ["a:1"]\n')

    loaded = load(
        files=[file],
        environ={"WIREWATCH_FETCH__TOTAL_SECONDS": "15", "PATH": "/bin"},
        overrides=["fetch.connect_seconds=4"],
    )

    assert loaded.settings.fetch.total_seconds == 15
    assert loaded.settings.fetch.connect_seconds == 4
    assert loaded.settings.net.allow == ("a:1",)
    assert loaded.origins == {
        "fetch.total_seconds": "environment variable WIREWATCH_FETCH__TOTAL_SECONDS",
        "fetch.connect_seconds": "command line",
        "net.allow": str(file),
    }


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("fetch.total_second", "fetch.total_seconds"),
        ("ftch.total_seconds", "fetch.total_seconds"),
        ("api.prt", "api.port"),
    ],
)
def test_an_unknown_setting_is_refused_with_a_suggestion(name: str, near: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(overrides=[f"{name}=1"])

    assert name in raised.value.sentence
    assert near in raised.value.hint


def test_a_nested_table_of_a_file_is_read_by_its_dotted_name(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("[data.retention_days]\narticles = 7\n")

    assert load(files=[file]).settings.data.retention_days.articles == 7


@pytest.mark.parametrize(
    "override", ["fetch.total_seconds=0", "fetch.total_seconds=soon", "api.port=70000"]
)
def test_a_value_outside_its_limit_is_refused_with_name_and_place(override: str) -> None:
    name = override.partition("=")[0]

    with pytest.raises(UsageError) as raised:
        load(overrides=[override])

    assert name in raised.value.sentence
    assert raised.value.place == "command line"


def test_a_list_may_be_written_as_toml_or_with_commas() -> None:
    for text in ('["a:1", "b:2"]', "a:1, b:2"):
        assert load(overrides=[f"net.allow={text}"]).settings.net.allow == ("a:1", "b:2")


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[fetch\n")

    with pytest.raises(FileError) as raised:
        load(files=[file])

    assert "line 1" in raised.value.sentence
    assert str(file) in raised.value.place


def test_every_setting_has_a_sentence_and_the_first_file_changes_nothing(tmp_path: Path) -> None:
    for setting in all_settings():
        assert setting.sentence.endswith("."), setting.name
    file = tmp_path / "wirewatch.toml"
    file.write_text(first_file())

    assert load(files=[file]).settings == load().settings


def test_every_line_of_the_first_file_is_valid_once_its_mark_is_taken_away(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line
        for line in first_file().splitlines()
    ]
    file = tmp_path / "wirewatch.toml"
    file.write_text("\n".join(lines))

    assert load(files=[file]).settings == load().settings
