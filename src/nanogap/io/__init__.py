"""Trajectory and result stores."""
