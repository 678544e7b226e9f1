"""Where results are kept: `base` says what every tier promises."""
