"""Inference that leans on large samples: for many persons assigned one by one, and as a second opinion on centres."""
