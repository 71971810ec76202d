"""The documents of the endpoints: values of the house in the format of the device."""
