"""Side-by-side measurements of this program and its peers: what `alsct bench` runs."""
