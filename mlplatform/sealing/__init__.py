"""Authenticated encryption of texts and of files. Pure code: keys come from the caller, no Django.

Everything is AES-256-GCM. What is sealed is bound to a context, which names its owner and its place, so
that it cannot be put anywhere else.
"""
