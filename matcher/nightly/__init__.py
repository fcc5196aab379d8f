"""One unattended night: take a delivery, solve, verify, publish, record."""
