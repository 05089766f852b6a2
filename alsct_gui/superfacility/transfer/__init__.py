"""How bytes get from one place to another, and the proof that they did."""
