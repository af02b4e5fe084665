"""New, revision, copy or story: the decision that is taken once, in one order.

The register reads ``tagged`` from its first record on. What it decides is a function of that
prefix alone: times are the log's append times, never a clock's, so a register that is killed
anywhere, or a second one that runs beside it, comes to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from ingest.article import Article
from processors.links import Links
from processors.records import Decision, StoryLink, StoryRecord, Tagged
from processors.revising import credible, fitted, is_edit, revised
from processors.stories import Placed, Placement, Window

Verdict = Literal["article", "revision", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one ``tagged`` record led to: a verdict, and what is to be written in this order.

    A duplicate has nothing to write, unless its feed, folder or topics are news.
    """

    verdict: Verdict
    decision: Decision | None = None
    links: tuple[StoryLink, ...] = ()
    story: StoryRecord | None = None


class Register:
    """Decides on ``tagged`` records, one after the other. Not thread-safe.

    Args:
        decisions: The last decision on an article id, if any.
        stories: The last record of an article id, if any.
        window: Holds the articles of the last hours; see ``restore``.
        links: The merges so far.
    """

    def __init__(
        self,
        *,
        decisions: Callable[[str], Decision | None],
        stories: Callable[[str], StoryRecord | None],
        window: Window,
        links: Links | None = None,
    ) -> None:
        self._decisions = decisions
        self._stories = stories
        self._window = window
        self._links = links or Links()
        self._last = -1

    def restore(self, decision: Decision) -> None:
        """Count an article in the window again; in the order of ``placed``."""
        self._window.restore(
            Placed(
                article_id=decision.article_id,
                order=decision.placed,
                seen=decision.seen,
                published=decision.published,
                language=decision.language,
                signature=decision.signature,
                placement=Placement(
                    story_id=self._links.resolve(decision.story_id),
                    copy_of=decision.copy_of,
                    story_began=decision.story_began,
                    story_size=decision.story_size,
                    story_sources=decision.story_sources,
                ),
            )
        )

    def forget(self, article_id: str) -> None:
        """Let an erased article count in no story from now on."""
        self._window.forget(article_id)

    def decide(self, tagged: Tagged, *, order: int, appended: datetime) -> Outcome:
        """What ``tagged``, at offset ``order`` of its topic, is.

        Offsets rise; one that comes again is a duplicate. Decided a second time, by a register
        that was restored to an earlier offset, it comes out the same; what stands written already
        gives nothing to write.
        """
        if order <= self._last:
            return Outcome(verdict="duplicate")
        self._last = order
        appended = appended.replace(microsecond=appended.microsecond // 1000 * 1000)
        self._window.advance(appended)
        decision = self._decisions(tagged.article.id)
        story = self._stories(tagged.article.id)
        if story is not None and story.order >= order:
            return self._stands(tagged, story, decision, order=order, appended=appended)
        if story is not None:
            return self._again(tagged, story, decision, order=order, appended=appended)
        if decision is not None and decision.placed < order:
            # Decided long ago and since erased or expired: it does not come back.
            return Outcome(verdict="duplicate")
        return self._begin(tagged, order, appended)

    def _stands(
        self,
        tagged: Tagged,
        story: StoryRecord,
        decision: Decision | None,
        *,
        order: int,
        appended: datetime,
    ) -> Outcome:
        """Its story stands written; what a register that died then had not written beside it.

        Topics are not written in any order: Kafka takes a batch's records of all at once.
        """
        if decision is None or decision.placed >= order:
            begun = self._begin(tagged, order, appended)  # the window goes on as it did, too
            wanted = begun.decision if decision is None else None
            return Outcome(verdict="duplicate", decision=wanted, links=begun.links)
        lost = story.order == order and decision.order < order
        return Outcome(verdict="duplicate", decision=_renewed(decision, story) if lost else None)

    def _begin(self, tagged: Tagged, order: int, appended: datetime) -> Outcome:
        article = replace(
            tagged.article,
            feeds=_feeds(tagged.article),
            published=credible(tagged.article.published, appended),
            seen=appended,
            revision=1,
        )
        at = self._window.place(
            article.id,
            tagged.signature,
            seen=appended,
            published=article.published,
            order=order,
            source=article.source,
            language=article.language,
        )
        links = tuple(
            StoryLink(story_id=one, survivor=at.story_id, order=order) for one in at.merged
        )
        for link in links:
            self._links.add(link)
        tagged = replace(tagged, article=article)
        story = _first_story(tagged, at, order=order, absorbed=self._links.absorbed(at.story_id))
        decision = _first_decision(tagged, at, order=order, seen=appended)
        return Outcome(verdict="article", decision=decision, links=links, story=story)

    def _again(
        self,
        tagged: Tagged,
        story: StoryRecord,
        decision: Decision | None,
        *,
        order: int,
        appended: datetime,
    ) -> Outcome:
        """Known before: another text of its feed, another feed, other topics, or nothing new."""
        known, sighted = story.article, tagged.article
        wider = replace(
            known,
            feeds=_union(known.feeds, _feeds(sighted)),
            groups=_union(known.groups, sighted.groups),
        )
        retagged = (
            tagged.cause in ("replay", "backfill")
            and sighted.content_hash == known.content_hash
            and tagged.topics != story.topics
        )
        if sighted.feed_id == known.feed_id and is_edit(tagged, story):
            written = revised(tagged, replace(story, article=wider), appended)
        elif retagged:
            written = replace(story, article=wider, topics=tagged.topics, change="retag")
        elif wider != known:
            written = replace(story, article=wider, change="feed")
        else:
            return Outcome(verdict="duplicate")
        written = self._located(replace(written, order=order, cause=tagged.cause))
        verdict: Verdict = "revision" if written.change == "revision" else "duplicate"
        return Outcome(verdict=verdict, decision=_renewed(decision, written), story=fitted(written))

    def _located(self, story: StoryRecord) -> StoryRecord:
        """``story`` in the story it is part of now, with that story's size."""
        story_id = self._links.resolve(story.story_id)
        size, sources = self._window.extent(story_id) or (story.size, story.sources)
        absorbed = self._links.absorbed(story_id)
        return replace(story, story_id=story_id, size=size, sources=sources, absorbed=absorbed)


def _first_story(
    tagged: Tagged, at: Placement, *, order: int, absorbed: tuple[str, ...]
) -> StoryRecord:
    return StoryRecord(
        article=tagged.article,
        order=order,
        change="new",
        cause=tagged.cause,
        fetched=tagged.fetched,
        poll=tagged.poll,
        revised=tagged.article.seen,
        topics=tagged.topics,
        story_id=at.story_id,
        copy_of=at.copy_of,
        similarity=at.similarity,
        size=at.story_size,
        sources=at.story_sources,
        absorbed=absorbed,
    )


def _first_decision(tagged: Tagged, at: Placement, *, order: int, seen: datetime) -> Decision:
    article = tagged.article
    return Decision(
        article_id=article.id,
        order=order,
        placed=order,
        revision=article.revision,
        content_hash=article.content_hash,
        feed_id=article.feed_id,
        feeds=article.feeds,
        seen=seen,
        published=article.published,
        source=article.source,
        language=article.language,
        story_id=at.story_id,
        story_began=at.story_began,
        story_size=at.story_size,
        story_sources=at.story_sources,
        copy_of=at.copy_of,
        similarity=at.similarity,
        signature=tagged.signature,
    )


def _renewed(decision: Decision | None, story: StoryRecord) -> Decision | None:
    return decision and replace(
        decision,
        order=story.order,
        revision=story.article.revision,
        content_hash=story.article.content_hash,
        feeds=story.article.feeds,
    )


def _feeds(article: Article) -> tuple[str, ...]:
    return article.feeds or (article.feed_id,)


def _union(known: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, *dict.fromkeys(one for one in added if one not in known))
