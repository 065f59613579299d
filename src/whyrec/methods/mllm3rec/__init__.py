"""M-LLM3REC: why a user takes things, matched to what items do for people; made for cold starts."""
