"""Asking a fitted pipeline: what rows must look like, and what it answers. Pure code, no Django."""
