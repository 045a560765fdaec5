"""The exchange on many machines: Celery carries the word "look", the ledger table says what there is to do.

A message that is lost, doubled or late changes nothing: the next tick of the scheduler looks again, and work in the table is
leased under a fence. A worker that is killed leaves leases that run out.
"""
