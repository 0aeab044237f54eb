"""Leadgen: contests that spread by themselves, and what is done with the contacts afterwards."""
