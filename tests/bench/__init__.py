"""Measurements. They assert nothing: machines differ, so each figure stands beside a limit of the same run."""
