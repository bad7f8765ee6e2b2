"""What is measured on running platforms, each with a bar that it must hold."""
