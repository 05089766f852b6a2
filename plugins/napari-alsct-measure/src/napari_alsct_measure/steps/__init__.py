"""The measurements as steps: parameters, inputs, outputs, and what runs."""
