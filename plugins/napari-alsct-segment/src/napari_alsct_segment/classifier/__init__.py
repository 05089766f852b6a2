"""The pixel classifier: from scribbles to labels of whole volumes."""
