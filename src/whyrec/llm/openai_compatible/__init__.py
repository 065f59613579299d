"""Any server that speaks the OpenAI chat API: vLLM, llama.cpp, Ollama, ``transformers serve``, hosted ones.

``backend.py`` holds ``OpenAIBackend``. It neither caches nor checks answers; ``LanguageModel`` does.
"""
