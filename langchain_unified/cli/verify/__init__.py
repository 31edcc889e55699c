"""`langchain-unified verify`: the facts that this package relies on, asked of the providers with the user's own keys.

`facts` lists them, `asking` sends one call for each, `report` prints what holds.
"""
