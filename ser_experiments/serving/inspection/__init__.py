"""Recordings beside those that a model learned from: ``ser inspect`` and :meth:`AudioModel.inspect`.

``recorded`` is what a model keeps of its training, ``voices`` of the speakers in it; ``looking`` measures recordings,
``measures`` says in what units they are shown, ``findings`` holds both against each other and ``advice`` says it in
words.
"""
