"""The four papers, each in a folder of its own; none imports another."""
