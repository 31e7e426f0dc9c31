"""What the end-to-end tests are made of: real programs around .build/release/gatehouse."""
