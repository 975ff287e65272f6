"""Files that other programs read: faces as weights, in engines' formats."""
