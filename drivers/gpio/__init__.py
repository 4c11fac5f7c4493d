"""Digital inputs of the Raspberry Pi's own pin header, through gpiozero."""
