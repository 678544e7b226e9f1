"""How a result becomes bytes, and back: `base` says what every format promises."""
