"""Networks that refine the picture of a talking head."""
