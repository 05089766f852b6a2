"""The command line, `alsct`."""
