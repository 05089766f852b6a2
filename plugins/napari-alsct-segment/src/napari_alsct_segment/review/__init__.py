"""Proof-reading of labels: edits as small patches that can be taken back, object by object."""
