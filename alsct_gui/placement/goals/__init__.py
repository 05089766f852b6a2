"""What can be done about goals: how each kind is seen, begun, followed and ended."""
