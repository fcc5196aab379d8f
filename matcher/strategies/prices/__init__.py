"""The large-scale strategy: capacity prices with a proved bound over all pairs, and a plan that is found with their help."""
