"""CURec: reasons why this user would like this item, written offline, ranked by attention, corrected by reinforcement."""
