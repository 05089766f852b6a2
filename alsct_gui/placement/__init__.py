"""What closes the distance between what is wanted and what is; now: runs on this machine."""
