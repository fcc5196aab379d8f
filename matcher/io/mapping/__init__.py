"""Foreign exports turned into the format by a mapping: a TOML file that says what each column is made from (docs/howto/kobo.md)."""
