"""What things are: frozen dataclasses with units in their names; numpy only."""
