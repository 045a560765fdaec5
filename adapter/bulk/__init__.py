"""Many documents at once: NDJSON in and out."""
