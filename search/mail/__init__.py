"""Alerts by e-mail: the message, the way to the server, and how to stop them."""
