"""Effects of what nobody drew by lot: weaker evidence, and what speaks against it."""
