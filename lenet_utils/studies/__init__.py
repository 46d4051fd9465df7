"""Train the recipes with many seeds, and keep what they gave; the command line."""
