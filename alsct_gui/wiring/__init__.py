"""Everything an agent works with, built from profile, policy and secrets in one place."""
