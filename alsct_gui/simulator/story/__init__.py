"""The story of an outage, played from end to end, and its report."""
