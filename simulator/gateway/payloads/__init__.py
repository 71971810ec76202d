"""What each endpoint says: values of the house in the words of the device."""
