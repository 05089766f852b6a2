"""Commands as data: one table gives menus, shortcuts, palette and the shortcut sheet."""
