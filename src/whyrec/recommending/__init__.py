"""What every recommender does alike: who is known, what was seen, exact lists from scores, fallback, saving."""
