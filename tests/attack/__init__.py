"""What an attacker may try against a running product, on loopback: `make attack` says what held."""
