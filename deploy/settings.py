"""Every setting: its name, default, limit and sentence, and where its value came from.

The stages own their settings as plain dataclasses; here they are put together, read from
defaults, a TOML file, the environment and the command line, later ones winning.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from deploy.kibana.settings import KibanaSettings
from ingest.errors import FileError, UsageError
from ingest.kafka_settings import KafkaSettings
from ingest.settings import ArticleLimits, FetchSettings, NetSettings, ParseSettings, PollSettings
from processors.settings import StageSettings, StoriesSettings
from search.alert_settings import AlertSettings
from search.api_settings import ApiSettings
from search.elastic_settings import ElasticSettings
from search.mail.settings import MailSettings
from search.pages.web_settings import WebSettings

ENVIRONMENT_PREFIX = "WIREWATCH_"
COMMAND_LINE = "command line"
"""The origin of ``--set`` and of the options that stand for a setting (``--port``, ``--data``)."""

NOT_SETTINGS = frozenset(
    f"WIREWATCH_{name}"
    for name in ("REQUIRE_DATA", "REQUIRE_CLUSTER", "REQUIRE_BROWSER", "CHROMIUM")
)
"""Variables of the test-suite that share the prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionDays:
    """How long the log keeps what; 0 keeps for ever."""

    articles: Annotated[
        float, Field(ge=0, description="Days that articles stay in the log for replays.")
    ] = 30
    stories: Annotated[
        float, Field(ge=0, description="Days that search reaches back; 0 is for ever.")
    ] = 0
    quarantine: Annotated[
        float, Field(ge=0, description="Days that set-aside bytes and records are kept.")
    ] = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSettings:
    """Where everything is kept."""

    folder: Annotated[
        str, Field(description="The data folder; empty is the user's data folder.")
    ] = ""
    secret_key_file: Annotated[
        str,
        Field(description="A file with 32 random bytes in base64 that seals secrets in Kafka."),
    ] = ""
    retention_days: RetentionDays = field(default_factory=RetentionDays)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings(KafkaSettings):
    """Which log; all but the backend is about Kafka."""

    backend: Annotated[
        Literal["sqlite", "kafka"],
        Field(description="sqlite: a file in the data folder; kafka: for many machines."),
    ] = "sqlite"
    partitions: Annotated[
        int,
        Field(ge=1, le=1_000, description="Partitions of articles and stories; they only grow."),
    ] = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings(ElasticSettings):
    """Which index; all but the backend is about Elasticsearch."""

    backend: Annotated[
        Literal["tantivy", "elasticsearch"],
        Field(description="tantivy: a folder in the data folder; elasticsearch: a server."),
    ] = "tantivy"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsSettings:
    """Topic definitions."""

    folder: Annotated[
        str, Field(description="A folder of topic files that add to and override the shipped ones.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, a section each."""

    data: DataSettings = field(default_factory=DataSettings)
    log: LogSettings = field(default_factory=LogSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    net: NetSettings = field(default_factory=NetSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    parse: ParseSettings = field(default_factory=ParseSettings)
    article: ArticleLimits = field(default_factory=ArticleLimits)
    poll: PollSettings = field(default_factory=PollSettings)
    topics: TopicsSettings = field(default_factory=TopicsSettings)
    stories: StoriesSettings = field(default_factory=StoriesSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    stage: StageSettings = field(default_factory=StageSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    web: WebSettings = field(default_factory=WebSettings)
    kibana: KibanaSettings = field(default_factory=KibanaSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as the reference page and ``config show`` present it."""

    name: str
    kind: str
    default: Any
    limit: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Effective settings and the origin of each that is not a default."""

    settings: Settings
    origins: Mapping[str, str]


def all_settings(kind: type[Any] = Settings, prefix: str = "") -> Iterator[Setting]:
    """Every setting in order of section, by dotted name."""
    hints = get_type_hints(kind, include_extras=True)
    for one in dataclasses.fields(kind):
        hint = hints[one.name]
        if dataclasses.is_dataclass(hint):
            yield from all_settings(hint, f"{prefix}{one.name}.")  # type: ignore[arg-type] # is a class
            continue
        meta = next(
            (m for m in getattr(hint, "__metadata__", ()) if hasattr(m, "description")), None
        )
        default = one.default_factory() if callable(one.default_factory) else one.default
        yield Setting(
            name=prefix + one.name,
            kind=_kind(hint),
            default=default,
            limit=", ".join(_limits(getattr(meta, "metadata", ()))),
            sentence=getattr(meta, "description", "") or "",
        )


def _limits(found: Iterable[Any]) -> Iterator[str]:
    """Limits as a person writes them: ``>= 0``."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    for one in found:
        for name, sign in signs.items():
            if hasattr(one, name):
                yield f"{sign} {getattr(one, name):,}"


def _kind(hint: Any) -> str:
    origin = getattr(hint, "__origin__", hint)
    if origin is tuple or getattr(origin, "__origin__", None) is tuple:
        return "list"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(
        origin, "text"
    )


def load(
    *,
    files: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
) -> Loaded:
    """Settings from ``files`` (first wins nothing: later ones win), environment, ``--set``.

    Raises:
        FileError: a TOML file that cannot be read, with its line.
        UsageError: an unknown name (with a suggestion) or a value outside its limit.
    """
    found: dict[str, tuple[Any, str]] = {}
    for file in files:
        found.update(_from_file(file))
    found.update(_from_environment(environ or {}))
    found.update(_from_overrides(overrides))
    tree: dict[str, Any] = {}
    for name, (value, _) in found.items():
        *path, last = name.split(".")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[last] = value
    try:
        settings = TypeAdapter(Settings).validate_python(tree)
    except ValidationError as error:
        raise _out_of_limit(error, found) from error
    return Loaded(settings=settings, origins={name: origin for name, (_, origin) in found.items()})


def _from_file(file: Path) -> dict[str, tuple[Any, str]]:
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(
            f"cannot read {file}: {error.strerror}", hint="Check the path after --config."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{file} is not TOML: {error}", place=str(file)) from error
    return {name: (value, str(file)) for name, value in _flatten(tree, str(file))}


def _flatten(tree: Mapping[str, Any], place: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    names = {setting.name for setting in all_settings()}
    for key, value in tree.items():
        name = prefix + key
        if name in names:
            yield name, value
        elif isinstance(value, Mapping) and any(n.startswith(f"{name}.") for n in names):
            yield from _flatten(value, place, f"{name}.")
        else:
            raise _unknown(name, place)


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    names = {setting.name: setting for setting in all_settings()}
    found = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in NOT_SETTINGS:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        if name not in names:
            raise _unknown(name, f"environment variable {variable}")
        found[name] = (_value(text, names[name]), f"environment variable {variable}")
    return found


def _from_overrides(overrides: Sequence[str]) -> dict[str, tuple[Any, str]]:
    names = {setting.name: setting for setting in all_settings()}
    found = {}
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise UsageError(
                f"--set {override} has no value", hint="Write --set section.name=value."
            )
        if name.strip() not in names:
            raise _unknown(name.strip(), COMMAND_LINE)
        found[name.strip()] = (_value(text.strip(), names[name.strip()]), COMMAND_LINE)
    return found


def _value(text: str, setting: Setting) -> Any:
    if setting.kind == "text":
        return text
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if setting.kind == "list" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _unknown(name: str, place: str) -> UsageError:
    names = [setting.name for setting in all_settings()]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else "See all names with: wirewatch config show"
    return UsageError(f"there is no setting {name}", hint=hint, place=place, code="unknown-setting")


def _out_of_limit(error: ValidationError, found: Mapping[str, tuple[Any, str]]) -> UsageError:
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"]]
    name = next((n for n in (".".join(parts[:k]) for k in (3, 2)) if n in found), ".".join(parts))
    value, place = found.get(name, (fault["input"], ""))
    return UsageError(
        f"setting {name} cannot be {value!r}: {fault['msg']}",
        hint="See its limit with: wirewatch config show",
        place=place,
        code="bad-setting",
    )
