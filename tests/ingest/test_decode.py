from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import STEP_BYTES, Decoder, content_encoding
from ingest.errors import FetchError
from tests.evil import raw_deflate

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


def decode(encoding: str, chunks: list[bytes]) -> tuple[bytes, bool]:
    decoder = Decoder(encoding)
    pieces = [piece for chunk in chunks for piece in decoder.feed(chunk)]
    assert all(0 < len(piece) <= STEP_BYTES for piece in pieces)
    return b"".join(pieces), decoder.finished


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(st.binary(max_size=2_000), st.integers(1, 50), st.sampled_from(["gzip", "deflate", "raw"]))
def test_any_body_comes_back_whatever_the_chunks(body: bytes, size: int, kind: str) -> None:
    packed = raw_deflate(body) if kind == "raw" else PACKERS[kind](body)
    encoding = "deflate" if kind == "raw" else kind
    assert decode(encoding, sliced(packed, size)) == (body, True)


@pytest.mark.parametrize("size", [STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1, 3 * STEP_BYTES])
@pytest.mark.parametrize("pack", [zlib.compress, raw_deflate])
def test_a_body_that_ends_at_a_step_is_whole(size: int, pack: Callable[[bytes], bytes]) -> None:
    assert decode("deflate", [pack(b" " * size)]) == (b" " * size, True)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.integers(1, 40))
def test_a_gzip_body_of_several_members_is_joined(parts: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    assert decode("gzip", sliced(packed, size)) == (b"".join(parts), True)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_stream_cut_anywhere_is_not_whole(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body)
    cut = data.draw(st.integers(1, len(packed) - 1))
    assert not decode("gzip", [packed[:cut]])[1]


def test_padding_after_the_end_is_ignored() -> None:
    assert decode("gzip", [gzip.compress(b"feed") + b"\0" * 600]) == (b"feed", True)


def test_an_empty_body_is_whole_in_any_encoding() -> None:
    assert decode("gzip", []) == (b"", True)


def test_half_a_million_empty_members_are_refused() -> None:
    with pytest.raises(FetchError):
        decode("gzip", [gzip.compress(b"") * 5_000])


@pytest.mark.parametrize(("header", "encoding"), [
    ("", ""), ("identity", ""), ("gzip", "gzip"), ("x-gzip", "gzip"), (" GZIP ", "gzip"),
    ("deflate", "deflate"), ("gzip, identity", "gzip"), ("none", ""), ("UTF-8", ""),
    ("utf-8, gzip", "gzip"),
])  # fmt: skip
def test_one_encoding_is_understood(header: str, encoding: str) -> None:
    assert content_encoding(header) == encoding


@pytest.mark.parametrize(
    "header", ["gzip, gzip", "gzip,deflate", "br", "zstd", "compress", "gzip;x"]
)
def test_other_encodings_are_refused_by_name(header: str) -> None:
    with pytest.raises(FetchError) as caught:
        content_encoding(header)
    assert caught.value.sentence == f"Refused: encoding {header}."
