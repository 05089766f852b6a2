"""Stripe filters on sinograms: a stripe in a sinogram is a ring in the slice."""
