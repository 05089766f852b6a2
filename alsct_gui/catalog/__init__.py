"""Every dataset that was ever seen, to be found again: by words, tags, notes and a picture."""
