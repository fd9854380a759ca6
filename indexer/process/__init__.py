"""What every process of the product needs, whatever it does: its ports (`listening`) and its end (`stopping`)."""
