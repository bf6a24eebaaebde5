"""Readers: what lies in files, as terrain and arrays that know where they belong."""
