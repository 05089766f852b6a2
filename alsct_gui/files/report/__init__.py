"""Reports: one file with figures, pictures and plots, for people who have no program for it."""
