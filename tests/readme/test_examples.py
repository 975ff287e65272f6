"""The commands of README.md and config/README.md, typed one after the other in a copy of the project."""


def test_example(reader, block):
    reader.follow(block)
