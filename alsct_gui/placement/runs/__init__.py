"""Reconstructions in processes of their own, queued in a folder that outlives the window."""
