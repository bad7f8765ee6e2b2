"""Channels: how a message is written and sent, a file for each kind and a table of them. No database here."""
