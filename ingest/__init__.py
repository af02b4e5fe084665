"""From feeds to articles: poll, fetch, parse, normalise, and the log they are written to."""
