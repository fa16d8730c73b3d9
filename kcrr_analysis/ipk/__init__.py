"""The client attraction index (индекс привлечения клиентов, ИПК)."""

__all__: list[str] = []
