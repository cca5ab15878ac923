"""What there is to see in a training set before anything is trained on it."""
