"""Words for whoever a text is about, and for what is offered; English only."""

PERSON = (
    r"(?:user|viewer|customer|reader|shopper|buyer|listener|gamer|player|person|client|member|borrower|patron|"
    r"subscriber|"
    r"(?:movie|film|cinema)-?goer|watcher|spectator|guest|visitor|subject|consumer|cardholder|account holder|enquirer|"
    r"applicant|punter|household|individual)"
)
"""A user, in the singular."""
FELLOW = r"(?:lad|lass|fellow|chap|gentleman|lady|man|woman|boy|girl|friend|soul|account|nephew|niece|youngster)"
"""A user where "this", "the" or the like stands before it."""
ITEM = (
    r"(?:film|movie|item|product|picture|title|book|game|work|piece|feature|flick|candidate|suggestion|recommendation|"
    r"offering|proposal|release|production)"
)
"""What is offered to a user, in the singular."""
