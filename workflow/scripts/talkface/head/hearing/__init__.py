"""From sound to what a person's face does."""
