"""The package's analysis steps: what `alsct step`, the functions and the widgets share."""
