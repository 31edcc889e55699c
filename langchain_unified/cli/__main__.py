"""`python -m langchain_unified.cli`: the same as `python -m langchain_unified`."""

from langchain_unified.cli import main

if __name__ == "__main__":
    main()
