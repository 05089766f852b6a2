"""Whole reconstructions: what is queued, running and done."""
