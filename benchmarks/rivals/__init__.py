"""What the program is measured against. None of it is imported by the program."""
