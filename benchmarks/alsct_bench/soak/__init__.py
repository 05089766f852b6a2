"""Whether anything is lost: agents and services are killed at random while scans arrive."""
