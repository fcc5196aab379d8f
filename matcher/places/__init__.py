"""Settlements and oblasts of Ukraine, and how far spots are apart."""
