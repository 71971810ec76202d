"""What the promises about speed and size are measured with; results in docs/performance.md."""
