"""The viewer: the only room that knows napari."""
