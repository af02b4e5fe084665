"""Settings as pages: a first file to edit, and the reference."""

from __future__ import annotations

from typing import Any

from deploy.settings import all_settings


def _shown(value: Any) -> str:
    """A default as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return str(value)


def first_file() -> str:
    """A settings file with every setting commented out at its default, with its sentence."""
    parts = ["# Settings of Wirewatch. Take away a # to change one; see: wirewatch config show\n"]
    section = ""
    for setting in all_settings():
        found, _, name = setting.name.rpartition(".")
        if found != section:
            section = found
            parts.append(f"\n[{section}]\n")
        limit = f" ({setting.limit})" if setting.limit else ""
        parts.append(f"# {setting.sentence}{limit}\n# {name} = {_shown(setting.default)}\n")
    return "".join(parts)


def reference() -> str:
    """The table of docs/settings.md: every setting, its default, limit and sentence."""
    rows = [
        f"| `{s.name}` | {s.kind} | `{_shown(s.default)}` | {s.limit} | {s.sentence} |"
        for s in all_settings()
    ]
    return "\n".join(
        ["| setting | kind | default | limit | what it is |", "|---|---|---|---|---|", *rows, ""]
    )
