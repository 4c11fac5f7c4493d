"""The language of derived tags: a formula over numbers. Knows nothing of tags, devices or quality.

The text is read once, by Python's parser, and every node of the tree is held against a list of what is allowed. What is
allowed becomes a small tree of functions of this package. No text is ever compiled or executed.
"""
