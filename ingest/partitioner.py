"""Which partition a key belongs to: the default of Kafka's Java client, so both logs agree."""

from __future__ import annotations

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_WORD = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def partition_of(key: str, partitions: int) -> int:
    """The partition of ``key`` among ``partitions``; 0 where there is one only."""
    if partitions == 1:
        return 0
    return (murmur2(key.encode()) & _POSITIVE) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bits, with the seed and the constants of Kafka's ``Utils.murmur2``."""
    whole = len(data) - len(data) % 4
    state = _SEED ^ len(data)
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MIX & _WORD
        word = (word ^ word >> 24) * _MIX & _WORD
        state = state * _MIX & _WORD ^ word
    if whole < len(data):
        state = (state ^ int.from_bytes(data[whole:], "little")) * _MIX & _WORD
    state = (state ^ state >> 13) * _MIX & _WORD
    return state ^ state >> 15
