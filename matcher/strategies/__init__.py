"""The ways to find a plan. OR-Tools is imported here and nowhere else."""
