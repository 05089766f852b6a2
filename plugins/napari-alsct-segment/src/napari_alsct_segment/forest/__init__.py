"""A random forest over features: grown by scikit-learn, kept and applied as plain arrays."""
