"""What notifications adds to what lower rooms do."""
