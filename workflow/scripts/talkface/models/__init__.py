"""Networks, and what they are given."""
