"""Data sets as layers: `syntax` reads classes, `views` wires layers, `evaluate` computes fields."""
