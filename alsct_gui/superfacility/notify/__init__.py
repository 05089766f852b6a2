"""Telling people outside the window: by webhook and by e-mail."""
