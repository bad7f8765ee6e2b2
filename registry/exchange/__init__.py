"""Models that come from outside and go outside: formats, what is refused, and why. Pure code, no Django."""
