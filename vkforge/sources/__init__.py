"""Readers: what lies in files, as arrays that know where they belong."""
