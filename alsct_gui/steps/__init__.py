"""Analysis steps: from volumes, labels and tables to others; without Qt."""
