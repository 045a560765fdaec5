"""What the suite `sync` is measured with: people, a stub, raw requests, a real HAPI, and our own side."""
