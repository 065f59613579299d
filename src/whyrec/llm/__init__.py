"""The language-model layer: ask a model many things offline, get checked answers, and never pay for one twice.

It knows nothing of any method. ``LanguageModel`` (``model.py``) is what methods hold; behind it stands a backend:
``local`` (a Hugging Face causal language model), ``openai_compatible`` (a server) or ``scripted`` (canned answers).
"""
