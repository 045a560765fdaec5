"""Migrations of the store, run by `database.upgrade`."""
