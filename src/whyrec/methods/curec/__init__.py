"""CURec: reasons why this user would like this item, ranked by attention, corrected by reinforcement."""
