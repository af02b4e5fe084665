"""What every command needs: the global options, the settings, the data folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deploy.folder import DataFolder, default_data_folder

if TYPE_CHECKING:
    from deploy.settings import Loaded, Settings

CONFIG_NAME = "wirewatch.toml"

IDS = {"ignore_unknown_options": True}
"""Of a command whose argument is an id: ids are base64url, so they may begin with a dash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The global options as given; settings are read when a command first asks."""

    config: Path | None
    data: Path | None
    overrides: tuple[str, ...]

    def loaded(self) -> Loaded:
        """Settings and origins. Raises UsageError or FileError with place and remedy."""
        # Imported here: `--help` and the filters without settings need not wait for it.
        from deploy.settings import load

        # The option first: the sample newsroom's own folder is an override of it.
        named = [] if self.data is None else [f"data.folder={self.data.absolute()}"]
        overrides = [*named, *self.overrides]
        return load(files=self._files(), environ=os.environ, overrides=overrides)

    def settings(self) -> Settings:
        """The effective settings."""
        return self.loaded().settings

    def folder(self, settings: Settings) -> DataFolder:
        """The data folder that the settings name."""
        named = settings.data.folder
        return DataFolder(Path(named).expanduser() if named else default_data_folder())

    def with_overrides(self, *more: str) -> Context:
        """The same with further ``--set`` values."""
        return replace(self, overrides=(*self.overrides, *more))

    def _files(self) -> list[Path]:
        if self.config is not None:
            return [self.config]
        here = Path(CONFIG_NAME)
        user = user_config_folder(os.environ) / CONFIG_NAME
        return [file for file in (here, user) if file.is_file()][:1]


def user_config_folder(environ: Mapping[str, str]) -> Path:
    """The user's configuration folder (XDG base directories; macOS alike)."""
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "wirewatch"


def context_of(ctx: typer.Context) -> Context:
    """The Context that the top-level callback stored."""
    found = ctx.find_object(Context)
    if found is None:  # pragma: no cover - typer always runs the callback first
        raise RuntimeError("the top-level callback did not run")
    return found


def stdout_is_terminal() -> bool:
    """Whether a person is likely to read standard output."""
    return sys.stdout.isatty()
