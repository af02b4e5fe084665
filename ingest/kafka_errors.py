"""What the errors of kafka-python mean to us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import TopicPartition
from kafka import errors as kafka

from ingest.errors import (
    FencedError,
    ForeignStoreError,
    MalformedRecordError,
    NotFoundError,
    RecordTooLargeError,
    StoreError,
    UnavailableError,
    WirewatchError,
)

FENCED = (
    kafka.CommitFailedError,
    kafka.IllegalGenerationError,
    kafka.UnknownMemberIdError,
    kafka.FencedInstanceIdError,
    kafka.NonEmptyGroupError,
    kafka.RebalanceInProgressError,
)
"""The group goes on without this member."""

_TOO_LARGE = (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError)

LOGIN = (
    kafka.SaslAuthenticationFailedError,
    kafka.UnsupportedSaslMechanismError,
    kafka.IllegalSaslStateError,
)
"""Kafka does not let us in."""

_FORBIDDEN = (kafka.AuthorizationError, *LOGIN)

_UNKNOWN = (kafka.UnknownTopicOrPartitionError, kafka.UnknownTopicIdError, kafka.InvalidTopicError)

_SETTING = (
    kafka.InvalidReplicationFactorError,
    kafka.InvalidConfigurationError,
    kafka.InvalidSessionTimeoutError,
    kafka.InconsistentGroupProtocolError,
    kafka.PolicyViolationError,
    kafka.KafkaConfigurationError,
    kafka.UnsupportedVersionError,
    kafka.UnsupportedCodecError,
)


@contextmanager
def translated(bootstrap: str, doing: str) -> Iterator[None]:
    """Raise what Kafka's client raises inside as an error of ours.

    Args:
        bootstrap: The brokers, as the settings name them.
        doing: What fails then, as a noun: "reading wirewatch.stories".
    """
    try:
        yield
    except (kafka.KafkaError, RuntimeError) as error:  # the latter where a client was closed
        raise store_error(error, bootstrap, doing) from error


def store_error(error: Exception, bootstrap: str, doing: str) -> WirewatchError:
    """``error`` of Kafka's client as one of ours."""
    message = f"{doing}: {type(error).__name__}: {error}"
    if isinstance(error, FENCED):
        return fenced(message)
    if isinstance(error, _TOO_LARGE):
        return RecordTooLargeError(
            message,
            sentence="Kafka refuses a record as too large.",
            hint="Raise max.message.bytes of the topic to 1048588, Kafka's default.",
        )
    if isinstance(error, kafka.InvalidRecordError):
        return MalformedRecordError(message)
    if isinstance(error, _UNKNOWN):
        return NotFoundError(
            message,
            sentence=f"Kafka has no such topic or partition: {doing}.",
            hint="Make the topics: wirewatch setup.",
        )
    return _refused(error, bootstrap, message) or unreachable(bootstrap, message)


def fenced(message: str) -> FencedError:
    """A member that lost its place in the group."""
    return FencedError(
        message,
        sentence="Another worker has taken over these partitions.",
        hint="Nothing is lost: the new owner goes on from the last committed place.",
    )


def unreachable(bootstrap: str, message: str) -> UnavailableError:
    """No broker answers, or not in time."""
    return UnavailableError(
        message,
        sentence=f"Kafka is not reachable at {bootstrap}.",
        hint='Start it, correct [log] bootstrap and security, or set [log] backend = "sqlite".',
    )


def older(group: str, place: TopicPartition, *, wanted: int, found: int) -> ForeignStoreError:
    """The log ends, or begins anew, before what ``group`` has read of ``place``."""
    return ForeignStoreError(
        f"{group} is at {wanted} of {place.topic}/{place.partition}, which is at {found}",
        sentence=f"The log is older than what {group} has already read of {place.topic} "
        f"({found} records instead of {wanted}).",
        hint="Restore the newer log, or rebuild what was made from it (reindex).",
    )


def is_spreading(error: Exception) -> bool:
    """Whether a commit failed only because the group is being spread anew."""
    if isinstance(error, kafka.CommitFailedError) and error.args:
        error = error.args[0]
    return isinstance(error, kafka.RebalanceInProgressError)


def closed() -> UnavailableError:
    """The log was closed before or during the call."""
    return UnavailableError("the log is closed")


def _refused(error: Exception, bootstrap: str, message: str) -> StoreError | None:
    if isinstance(error, _FORBIDDEN):
        return StoreError(
            message,
            sentence=f"Kafka at {bootstrap} refuses Wirewatch: {_plain(error)}.",
            hint="Check [log] sasl_user, sasl_password_file and sasl_mechanism, and what Kafka "
            "lets this user do.",
        )
    if isinstance(error, _SETTING):
        return StoreError(
            message,
            sentence=f"Kafka at {bootstrap} refuses a setting: {_plain(error)}.",
            hint="Change that setting in the section [log].",
        )
    return None


def _plain(error: Exception) -> str:
    """The error in words: its description where it has one, else its name."""
    return str(error).strip(". ") or type(error).__name__
