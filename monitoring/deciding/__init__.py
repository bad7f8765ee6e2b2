"""Pure decisions of policies: from terms and recorded history to a verdict. Knows no Django.

What decides now and what is replayed for a preview are the same functions, so they cannot differ.
"""
