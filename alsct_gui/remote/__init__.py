"""Processes of our own that answer requests, so that the window never waits."""
