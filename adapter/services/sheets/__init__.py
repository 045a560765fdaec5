"""Pages for people: one file each, searchable, without network."""
