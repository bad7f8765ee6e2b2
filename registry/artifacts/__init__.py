"""Trained pipelines as signed bytes. Pure code, no Django."""
