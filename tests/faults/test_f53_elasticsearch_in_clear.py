"""F53, Elasticsearch's part: articles and logins in clear beyond this machine are warned of."""

from __future__ import annotations

import pytest

pytest.importorskip("elasticsearch", reason="the extra for Elasticsearch is not installed")

from search.elastic_settings import ElasticSettings, plain_warning


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://127.0.0.1:9200", False),
        ("http://[::1]:9200", False),
        ("http://localhost:9200", False),
        ("https://search.example:9200", False),
        ("http://search.example:9200", True),
        ("http://10.0.0.7:9200", True),
        ("http://localhost.example", True),
    ],
)
def test_f53_articles_in_clear_beyond_this_machine_are_warned_of(url: str, *, warns: bool) -> None:
    warning = plain_warning(ElasticSettings(url=url))
    assert bool(warning) == warns
    if warning:
        assert "https" in warning
        assert "ca_file" in warning
