"""How many centres and persons: power, sample size, detectable effect, and what they need to know of the past."""
