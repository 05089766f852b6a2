"""The analyses as steps: parameters, inputs, outputs, and what runs."""
