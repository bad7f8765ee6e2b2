"""The platform as its users meet it: real processes, a real broker, real HTTP."""
