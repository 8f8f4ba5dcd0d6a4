"""Callees: scripts as TOML, and their fixed lines as sound under audio/."""
