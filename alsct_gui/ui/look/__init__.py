"""Looking closely: histogram, profiles, statistics, overlays, pictures, films, metadata."""
