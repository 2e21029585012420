"""Records one at a time: created, edited, converted, labelled and listed."""
