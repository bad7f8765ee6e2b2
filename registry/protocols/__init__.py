"""Requests and answers in the forms of other servers' clients. Pure code, no Django."""
