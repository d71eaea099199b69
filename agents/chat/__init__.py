"""What asking a hosted model takes: options, the wire format, the cache on disk, the budget."""
