"""Views of the client attraction index (ИПК)."""
