"""One module per layout; `alsct_gui.files.open` chooses."""
