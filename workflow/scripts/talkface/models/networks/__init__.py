"""The networks, one a file: each module has a class `Network` and is known by the module's name; nothing else names it."""
