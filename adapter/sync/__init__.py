"""Two sides of one record: what is to be done (`plan`), how two edits go together (`merge`), whose ids are whose
(`references`). All of it pure; the services perform it.
"""
