"""Who may read what: groups and access lists at NERSC, access rules of Globus."""
