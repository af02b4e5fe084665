"""Which stories were merged, and into which: the state of ``story-links``."""

from __future__ import annotations

from processors.records import StoryLink


class Links:
    """Merged stories by the story that took them in; a chain leads to the last survivor."""

    def __init__(self) -> None:
        self._survivors: dict[str, str] = {}
        self._absorbed: dict[str, tuple[str, ...]] = {}

    def add(self, link: StoryLink) -> None:
        """Take in a merge, in the order of merging; a second time is harmless."""
        if link.story_id in self._survivors:
            return
        self._survivors[link.story_id] = link.survivor
        ended = (link.story_id, *self._absorbed.pop(link.story_id, ()))
        self._absorbed[link.survivor] = (*self._absorbed.get(link.survivor, ()), *ended)

    def resolve(self, story_id: str) -> str:
        """The story that ``story_id`` is part of now."""
        while story_id in self._survivors:
            story_id = self._survivors[story_id]
        return story_id

    def absorbed(self, story_id: str) -> tuple[str, ...]:
        """The ids of all stories merged into ``story_id`` so far."""
        return self._absorbed.get(story_id, ())
