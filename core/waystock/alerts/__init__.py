"""Alert types, their names and the sentences an operator reads. Pure."""
