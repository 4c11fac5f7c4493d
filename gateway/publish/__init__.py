"""From entries of the outbox to MQTT messages, and the session that carries them."""
