"""A server for OpenAI and Anthropic clients in front of either provider: `langchain-unified serve`.

A request whose API the upstream speaks as well passes as bytes (`passing`). Any other is read, encoded for the
upstream's API, and its answer rendered in the client's (`crossing`). Needs the extra `gateway`.
"""
