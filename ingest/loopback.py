"""Whether a host is this machine, by its very name; no resolver is asked."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether ``host``, without a port, is a loopback address or a name below localhost."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return is_loopback_name(host)


def is_loopback_name(host: str) -> bool:
    """Whether RFC 6761 gives the name to this machine, whatever a resolver makes of it.

    Some resolvers do not know it with a dot at its end.
    """
    return f".{host.rstrip('.').lower()}".endswith(".localhost")
