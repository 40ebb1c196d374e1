"""Simulated devices: they take a line or a link and speak over it as the real ones do."""
