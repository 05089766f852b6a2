"""Reconstruction engines behind one Protocol, found by entry point."""
