"""The web pages: made by the server, readable and usable without JavaScript."""
