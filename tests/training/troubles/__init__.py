"""Algorithms that make trouble, for a trainer that knows them beside the true ones."""
