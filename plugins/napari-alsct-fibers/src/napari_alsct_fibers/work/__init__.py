"""What runs when a step of this package runs: from its inputs to its outputs."""
