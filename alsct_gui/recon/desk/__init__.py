"""The desk: a process that looks at scans and makes pictures of them for the window."""
