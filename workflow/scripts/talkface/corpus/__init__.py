"""Where clips come from, and which are used."""
