"""Views of the funnel: promotion and tools, ordered funnels, measures along the client's path."""
