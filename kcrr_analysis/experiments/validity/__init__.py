"""Can a pilot be trusted: the checks of its sample, losses, balance, neighbours, and its past."""
