"""Latest states for an MQTT broker, and their description for Home Assistant."""
