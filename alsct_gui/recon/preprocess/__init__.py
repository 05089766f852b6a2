"""From raw frames to corrected sinograms."""
