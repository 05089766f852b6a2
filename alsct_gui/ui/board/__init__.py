"""The board: scans against places, the chain of links, and what happened to a scan."""
