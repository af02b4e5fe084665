"""What the doctor says of keeping and removing: backups and erasures."""

from __future__ import annotations

from datetime import UTC, datetime

from deploy.backup import last_backup
from deploy.doctor_check import Check
from deploy.shell import Shell

BACKUP_DAYS = 7


def backups(shell: Shell) -> Check:
    """How old the last backup is; whether that is too old, its owner knows."""
    last = last_backup(shell.folder)
    days = (datetime.now(UTC) - last.at).days if last else 0
    sentence = f"The last backup is {days} days old: {last.file}." if last else "None was made yet."
    return Check(
        name="backups",
        state="ok",
        version="",
        sentence=sentence,
        remedy="Make one: wirewatch backup FILE" if last is None or days > BACKUP_DAYS else "",
    )


def erasures(shell: Shell) -> Check:
    """What was erased by request, and whether something of it is left."""
    known = shell.erasing.known()
    stand = [one for one in known if shell.erasing.stands(one)]
    # Of Kafka nobody can tell when it has deleted the last byte.
    pending = known.pending() if shell.settings.log.backend == "sqlite" else stand
    return Check(
        name="erasures",
        state="warn" if pending else "ok",
        version="",
        sentence=f"{len(list(known))} articles erased by request, {len(pending)} still under way.",
        remedy="They go within minutes while wirewatch runs; if not, erase them again."
        if pending
        else "",
    )
