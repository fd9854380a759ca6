"""What tests share: one module per subject. Tests import helpers from here alone."""
