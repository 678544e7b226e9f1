"""Long forms of the fault tests: each module is a command that counts what came of it."""
