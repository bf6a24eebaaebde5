"""What materials need on the device beside their numbers."""
