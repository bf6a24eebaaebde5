"""What a picture passes through after light, as records and in float64 NumPy: exposure, grade, tone, tables."""
