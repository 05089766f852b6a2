"""One's own code as a step: a function, a notebook, any executable; files only."""
