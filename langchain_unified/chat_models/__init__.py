"""The chat models."""

from langchain_unified.chat_models.anthropic import ChatAnthropic
from langchain_unified.chat_models.openai import ChatOpenAI
from langchain_unified.chat_models.unified import ChatUnified

__all__ = ["ChatAnthropic", "ChatOpenAI", "ChatUnified"]
