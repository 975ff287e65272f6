"""From sound to faces."""
