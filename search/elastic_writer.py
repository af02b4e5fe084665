"""Who may write to Elasticsearch: the generation in force, its checkpoints, and its successor.

Which generation is searched is one document; the alias and the old indices follow it, and are
mended after it by whoever opens the index next. Workers in other processes notice a new
generation at their next write, and begin where it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from elasticsearch import Elasticsearch

from ingest.errors import FencedError, ForeignStoreError, UnavailableError
from processors.records import StoryRecord
from search.checkpoints import foreign
from search.elastic_aliases import mend, months
from search.elastic_checkpoints import Checkpoints, InForce, fenced
from search.elastic_errors import translated
from search.elastic_generation import Generation
from search.elastic_names import Names
from search.elastic_schema import VERSION
from search.elastic_settings import ElasticSettings
from search.elastic_setup import setup
from search.index import Checkpoint, WriteResult

ABANDONED = timedelta(minutes=10)
"""Without a write, after which a rebuild is taken for dead and may be replaced."""


class Writer:
    """Writes articles and checkpoints. One thread writes; checkpoints are read from any."""

    def __init__(self, client: Elasticsearch, settings: ElasticSettings) -> None:
        self._client = client
        self._settings = settings
        self._names = Names(settings.prefix)
        self._checkpoints = Checkpoints(client, settings)
        self._gate = threading.Lock()
        self._mine: Generation | None = None  # what this worker writes to, since it began
        self._is_prepared = False

    def write(
        self,
        stories: Sequence[StoryRecord],
        checkpoint: Checkpoint | None,
        links: Mapping[str, str],
        *,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``; with nothing to write it asks whether it still may.

        Raises:
            FencedError: the index was rebuilt, or another worker has gone further.
            ForeignStoreError: the index is not the one that was filled.
        """
        mine = self._opened()
        self._refuse_replaced(mine)
        try:
            result = mine.write(stories, links, removed)
        except ForeignStoreError:
            self._refuse_replaced(mine)  # if it was, its indices are gone with good reason
            raise
        if stories or links or removed:
            self._refuse_replaced(mine)
        if checkpoint is not None and not result.rejected:
            self._checkpoints.store(mine.number, checkpoint)
        return result

    def checkpoint(self) -> Checkpoint | None:
        """What the last writes with a checkpoint stored, of all partitions; changes nothing.

        Raises:
            ForeignStoreError: the articles are not those that it speaks of.
        """
        self._chosen()
        found = self._checkpoints.in_force()
        if found is None:
            self._refuse_unknown()
            return None
        self.refuse_foreign(found.number)
        return self._checkpoints.read(found.number)

    def in_force(self) -> int:
        """The number of the generation that is searched; 0 where there is none."""
        found = self._checkpoints.in_force()
        return found.number if found else 0

    def refuse_foreign(self, number: int) -> None:
        """Raise ForeignStoreError where the articles are not those that were filled."""
        made = self._checkpoints.made(number)
        if made is None:
            raise foreign("What Elasticsearch holds of the log is not known any more.")
        if made.cluster != self._cluster():
            raise foreign("The articles were indexed in another Elasticsearch cluster.")
        if made.fields != VERSION:
            raise foreign(
                f"The index was made with fields of version {made.fields}, "
                f"this Wirewatch uses {VERSION}."
            )
        there = self._generation(number).indices()
        for name, known in made.indices.items():
            if there.get(name) != known:
                what = "another one than was filled" if name in there else "gone"
                raise foreign(f"The index {name} is {what}.")

    def successor(self) -> Successor:
        """An empty generation beside the one in force.

        Raises:
            UnavailableError: one is being built already.
        """
        setup(self._client, self._settings)
        before = self._checkpoints.in_force()
        number = before.number if before else 0
        known = self._checkpoints.all_made()
        for made in known:
            if made.number > number and datetime.now(UTC) - made.touched < ABANDONED:
                raise _busy()
        for made in known:
            if made.number > number:
                self._generation(made.number).delete()
        there = map(self._names.number_of, months(self._client, self._settings))
        following = max([number, *there, *(made.number for made in known)]) + 1
        with suppress(FencedError):  # another rebuild took this number just now
            self._begin(following)
            return Successor(self, self._generation(following), instead_of=before)
        raise _busy()

    def put_in_force(self, generation: Generation, *, instead_of: InForce | None) -> None:
        """Search and write ``generation`` from now on; what was before is deleted.

        Raises:
            FencedError: another rebuild did it first.
        """
        generation.refresh()
        self._checkpoints.put_in_force(generation.number, instead_of=instead_of)
        generation.is_in_force = True
        with self._gate:
            self._mine = generation
        self._tidy(generation.number)

    def _chosen(self) -> Generation | None:
        """The generation that this worker reads on from and writes to: at first that in force."""
        with self._gate:
            if self._mine is None and (number := self.in_force()):
                self._mine = self._generation(number, is_in_force=True)
            return self._mine

    def _opened(self) -> Generation:
        """The same, made or mended where needed. Only who writes may do that: others only look."""
        mine = self._chosen()
        if not self._is_prepared:
            setup(self._client, self._settings)
            if number := self.in_force():
                self._tidy(number)
            else:
                self._begin_first()
            self._is_prepared = True
        mine = mine or self._chosen()
        if mine is None:
            raise foreign("Elasticsearch came back without what it held of the log.")
        return mine

    def _refuse_unknown(self) -> None:
        there = months(self._client, self._settings)
        if there and not self.in_force():  # else another worker began it just now
            raise foreign("The articles are there, but not how far the log was read.")

    def _begin_first(self) -> None:
        self._refuse_unknown()
        with suppress(FencedError):  # another worker begins the first one too: it is the same
            self._checkpoints.add(1, cluster=self._cluster(), fields=VERSION)
        with suppress(FencedError):  # as above
            self._checkpoints.put_in_force(1, instead_of=None)
        self._open_this_month(self._generation(1, is_in_force=True))

    def _begin(self, number: int) -> None:
        self._checkpoints.add(number, cluster=self._cluster(), fields=VERSION)
        self._open_this_month(self._generation(number))

    def _open_this_month(self, generation: Generation) -> None:
        """An alias reads at least one index."""
        generation.open_month(self._names.month(datetime.now(UTC), generation.number))

    def _refuse_replaced(self, mine: Generation) -> None:
        number = self.in_force()
        if number == mine.number:
            return
        if not number:
            raise foreign("Elasticsearch came back without what it held of the log.")
        with self._gate:
            self._mine = None
        self._is_prepared = False
        raise fenced(f"generation {number} has replaced {mine.number}")

    def _tidy(self, number: int) -> None:
        """Let everything follow ``number`` in force."""
        mend(self._client, self._settings, number)
        there = {*map(self._names.number_of, months(self._client, self._settings))}
        known = {made.number for made in self._checkpoints.all_made()}
        for old in sorted(one for one in there | known if one < number):
            self._generation(old).delete()

    def _generation(self, number: int, *, is_in_force: bool = False) -> Generation:
        return Generation(self._client, self._settings, number, is_in_force=is_in_force)

    def _cluster(self) -> str:
        with translated(self._settings.url, "asking which cluster it is"):
            found = str(self._client.info()["cluster_uuid"])
        if found == "_na_":
            raise UnavailableError("no master", sentence="Elasticsearch is still starting.")
        return found


class Successor:
    """A generation that is being filled."""

    def __init__(
        self, writer: Writer, generation: Generation, *, instead_of: InForce | None
    ) -> None:
        self._writer = writer
        self._generation = generation
        self._instead_of = instead_of

    def write(
        self,
        stories: Sequence[StoryRecord],
        *,
        checkpoint: Checkpoint | None = None,
        links: Mapping[str, str] | None = None,
        removed: Collection[str] = (),
    ) -> WriteResult:
        """As ``Index.write``. Raises FencedError where it was taken for dead and replaced."""
        result = self._generation.write(stories, links or {}, removed)
        self._generation.touch(checkpoint if not result.rejected else None)
        return result

    def take_over(self) -> None:
        """Be the index in force from now on. Raises FencedError where another one is already."""
        self._writer.put_in_force(self._generation, instead_of=self._instead_of)

    def discard(self) -> None:
        """Delete what was built, unless it is in force."""
        if self._writer.in_force() != self._generation.number:
            self._generation.delete()


def _busy() -> UnavailableError:
    return UnavailableError(
        "a rebuild is running",
        sentence="The index is being rebuilt already.",
        hint="One that died can be replaced ten minutes after it wrote last.",
        retry=False,
    )
