"""GER: a dozen readable numbers on items and users, written once, inside any sequence encoder."""
