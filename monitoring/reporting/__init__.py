"""Reports over a period as plain data, as HTML and as PDF. Pure code, no Django."""
