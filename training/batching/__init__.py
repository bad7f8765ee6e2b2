"""Answering a table of any size in pieces: told what it is, cut, read, judged, asked, written, joined."""
