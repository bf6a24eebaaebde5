"""What the renderer is tested against: float64 NumPy brute force and closed forms, sharing no code with vkforge."""
