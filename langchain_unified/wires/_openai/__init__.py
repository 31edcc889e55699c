"""What OpenAI's two wires share."""
