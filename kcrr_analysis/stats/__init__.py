"""Statistical primitives: interval estimates, multiplicity, ranks."""

__all__: list[str] = []
