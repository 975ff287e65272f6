"""The talking head: a film of a person who speaks new audio, from one short video of that person."""
