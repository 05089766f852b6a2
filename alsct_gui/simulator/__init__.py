"""Stand-ins for the outside: a detector that writes scans whose truth is known."""
