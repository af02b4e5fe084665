"""The routes of the API, a module a part; ``search.api`` puts them together."""
