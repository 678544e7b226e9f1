"""How places that keep entries have answered lately, and how long their answers are waited for."""
