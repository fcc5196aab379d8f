"""The large-scale strategy and the compiled pricing that it stands on."""
