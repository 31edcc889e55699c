"""`python -m langchain_unified`: the command line of `langchain_unified.cli`."""

from langchain_unified.cli import main

if __name__ == "__main__":
    main()
