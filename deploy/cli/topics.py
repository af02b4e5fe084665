"""``topics``: definitions, their checks and what they said of an article."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.client import call, segment
from deploy.cli.context import IDS, context_of
from deploy.cli.output import print_json, print_line, print_table
from ingest.errors import FileError, NotFoundError

if TYPE_CHECKING:
    from deploy.topic_files import Definition
    from processors.topic import Topic
    from processors.topics import TopicEngine

app = typer.Typer(help="Topic definitions: list, show, check, test, explain.")

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Folder = Annotated[
    Path | None, typer.Option("--topics", help="A folder of topic files beside the shipped.")
]


def _definitions(ctx: typer.Context, folder: Path | None) -> tuple[Definition, ...]:
    from deploy.topic_files import definitions

    named = context_of(ctx).settings().topics.folder
    return definitions(folder or (Path(named).expanduser() if named else None))


def _topics(ctx: typer.Context, folder: Path | None) -> list[Topic]:
    return [one.topic for one in _definitions(ctx, folder)]


@app.command("list")
def list_topics(ctx: typer.Context, topics: Folder = None, json: JsonFlag = False) -> None:
    """List the topics in force."""
    rows = [
        {
            "id": t.id,
            "lang": t.lang,
            "version": t.version,
            "label": t.label,
            "description": t.description,
        }
        for t in _topics(ctx, topics)
    ]
    if json:
        print_json(rows)
        return
    print_table(
        ("id", "lang", "version", "what counts"),
        [(r["id"], r["lang"], r["version"], r["description"]) for r in rows],
        empty="No topics.",
    )


@app.command("show")
def show(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="ID")],
    topics: Folder = None,
    json: JsonFlag = False,
) -> None:
    """Show a topic's definition as it is in force."""
    found = [one for one in _definitions(ctx, topics) if one.topic.id == topic]
    if not found:
        raise NotFoundError(f"there is no topic {topic}", hint="See: wirewatch topics list")
    if json:
        print_json(
            {"id": topic, "lang": d.topic.lang, "version": d.topic.version, "text": d.text}
            for d in found
        )
        return
    for one in found:
        for line in one.text.splitlines():
            print_line(line)


@app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(help="Topic files or folders.")],
    json: JsonFlag = False,
) -> None:
    """Validate topic files: the first fault of each, with its line and a fix."""
    from deploy.topic_files import folder_files, read

    _refuse_missing(files)
    rows: list[dict[str, Any]] = []
    for file in files:
        for one in folder_files(file) if file.is_dir() else [file]:
            try:
                topic = read(one).topic
            except FileError as error:
                rows.append({"file": str(one), "ok": False, **error.as_json()})
                continue
            rows.append({"file": str(one), "ok": True, "id": topic.id, "version": topic.version})
    if json:
        print_json(rows)
    else:
        for row in rows:
            _print_checked(row)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


def _refuse_missing(files: list[Path]) -> None:
    for file in files:
        if not file.exists():
            raise FileError(
                f"there is no file or folder {file}",
                hint="Give topic files (YAML), or folders of them.",
                place=str(file),
            )


def _print_checked(row: dict[str, Any]) -> None:
    if row["ok"]:
        print_line(f"{row['file']}: good")
        return
    place = row.get("place", row["file"])
    print_line(f"{'' if place in row['error'] else f'{place}: '}{row['error']}")
    if row["hint"]:
        print_line(f"  {row['hint']}")


@app.command("test")
def test(
    ctx: typer.Context,
    topic: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(help='JSON lines {"text","labels"}: precision, recall, F1 per band.'),
    ] = None,
    topics: Folder = None,
    json: JsonFlag = False,
) -> None:
    """Run the examples in the topic files, and score a labelled file."""
    from processors.topics import TopicEngine, run_examples

    chosen = [t for t in _topics(ctx, topics) if topic in (None, t.id)]
    if not chosen:
        raise NotFoundError(f"there is no topic {topic}", hint="See: wirewatch topics list")
    engine = TopicEngine(chosen)
    failures = {f"{t.id}.{t.lang}": run_examples(t, engine) for t in chosen}
    rows: list[dict[str, Any]] = [
        {
            "topic": t.id,
            "lang": t.lang,
            "examples": len(t.examples),
            "failures": list(failures[f"{t.id}.{t.lang}"]),
        }
        for t in chosen
    ]
    if labelled is not None:
        rows += _scores(labelled, engine)
    if json:
        print_json(rows)
    else:
        _print_rows(rows)
    if any(failures.values()):
        raise typer.Exit(1)


def _scores(labelled: Path, engine: TopicEngine) -> list[dict[str, Any]]:
    from ingest.wire import as_json
    from processors.topics import evaluate

    try:
        items = [jsonlib.loads(line) for line in labelled.read_text("utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise FileError(f"{labelled} is not JSON lines: {error}", place=str(labelled)) from error
    return [as_json(score) for score in evaluate(engine, items)]


def _print_rows(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if "examples" in row:
            print_line(
                f"{row['topic']} ({row['lang']}): {row['examples']} examples, "
                f"{len(row['failures'])} failed"
            )
            for failure in row["failures"]:
                print_line(f"  {failure}")
        else:
            print_line("  ".join(f"{key} {value}" for key, value in row.items()))


@app.command("explain", context_settings=IDS)
def explain(
    ctx: typer.Context,
    article: Annotated[str, typer.Argument(metavar="ID", help="An article's id.")],
    json: JsonFlag = False,
) -> None:
    """Show the rules and words that earned an article its topics."""
    found = call(context_of(ctx), "GET", f"/api/articles/{segment(article)}")
    if json:
        print_json(found["topic_tags"])
        return
    if not found["topic_tags"]:
        print_line(f"no topic reached its review band for: {found['title']}")
    for tag in found["topic_tags"]:
        print_line(f"{tag['topic']} {tag['score']:.2f} ({tag['band']}), version {tag['version']}")
        for e in tag["evidence"]:
            spans = ", ".join(f"{start}-{end}" for start, end in e["spans"][:6])
            print_line(f"  {e['points']:+.2f} {e['rule']} in {e['zone']} at {spans}: {e['text']}")
