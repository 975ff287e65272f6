"""How good, and how sure that is."""
