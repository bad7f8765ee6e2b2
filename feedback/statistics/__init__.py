"""Mathematics of labels: agreement, what is worth labelling, what is suspicious. Knows no Django."""
