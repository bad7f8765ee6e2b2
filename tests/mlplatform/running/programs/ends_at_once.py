"""A worker without a broker."""

print("the broker does not answer")
raise SystemExit(3)
