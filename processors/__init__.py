"""From articles to tagged articles with a place in a story."""
