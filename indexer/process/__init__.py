"""What every process of the product needs, whatever it does: its ports (`listening`), its start (`loading`) and its end (`stopping`)."""
