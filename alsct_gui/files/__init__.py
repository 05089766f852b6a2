"""Scans and volumes on disk: readers, writers, checks."""
