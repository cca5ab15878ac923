"""Pictures that are cut out and resized on the device, a batch at a time."""
