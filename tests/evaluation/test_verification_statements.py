"""Single statements, as people and language models write them, about one film whose numbers fit on a line."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.data.windows import WindowLength
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.interfaces import Driver, ForecastPoint, Verdict

USERS = {6: 161, 7: 100, 8: 72, 9: 88, 10: 152}
MONTH = WindowLength()
CUTOFF = datetime(2013, 11, 1, tzinfo=UTC)
GRAVITY = ItemFacts(
    item_id="1454468",
    title="Gravity",
    cutoff=CUTOFF,
    months=tuple(
        MonthCount(MONTH.following(datetime(2013, month, 1, tzinfo=UTC)), users, True) for month, users in USERS.items()
    ),
    recent={3: 14, 7: 60, 14: 90, 30: 150},
    total_users=573,
    first_seen=date(2013, 6, 4),
    attributes={"year": 2013.0, "genres": ("Drama", "Sci-Fi"), "director": "Alfonso Cuarón", "price": 12.5},
    mean_rating=8.23,
)
FORECAST = ForecastPoint("1454468", MONTH.following(CUTOFF), rank=3, expected=170.4, low=120.2, high=230.0)
DRIVERS = (
    Driver("recency", "the last seven days", 0.34),
    Driver("age", "the time since release", -0.12),
    Driver("level", "the total audience", 1.5),
)
VOCABULARY = Vocabulary.of(
    pl.DataFrame(
        {
            "item_id": ["1", "2", "3", "4", "5"],
            "title": ["Gravity", "Rush", "The Lone Ranger", "Iron Man 3", "It"],
            "genres": [
                ["Drama", "Sci-Fi"],
                ["Action", "History"],
                ["War", "Short"],
                ["Thriller"],
                ["Horror", "Comedy"],
            ],
            "director": ["Alfonso Cuarón", "Ron Howard", "Gore Verbinski", "Shane Black", None],
        }
    )
)

TRUE = (
    "October 2013 brought 152 users.",
    "2013-08: 72, 2013-09: 88, 2013-10: 152.",
    "152 people in October 2013, up from 88 in September.",
    "The count rose from 72 in August to 88 in September and 152 in October.",
    "August, September and October brought 72, 88 and 152 users.",
    "The audience grew from 88 to 152 between September and October.",
    "October's 152 users are 73% more than in September.",  # 152 / 88 = 1.727
    "Usage climbed by 64 users in October.",  # 152 - 88 = 64
    "There were 64 more viewers in October than in September.",
    "In Oct 2013 it drew about 150 viewers.",
    "More than 150 people watched it in October.",
    "Nearly 155 people watched it in October.",
    "It peaked in June 2013 at 161.",
    "After a peak of 161 in June, interest fell to 72 in August.",
    "June was its best month, with 161 users.",
    "August was the weakest month, with just seventy-two viewers.",
    "October was the highest since June.",
    "The popularity score increased significantly from 88 in September to 152 in October, indicating strong momentum.",
    "Sixty people came in the last seven days and 150 in the last thirty days.",
    "40% of the users of the last 30 days arrived in the last seven days.",  # 60 / 150 = 0.40
    "In total, 573 people have rated it.",
    "It first appeared in June 2013.",
    "First seen on 4 June 2013, it is five months old.",
    "Gravity is a 2013 film directed by Alfonso Cuarón.",
    "Its genres, Drama and Sci-Fi, suit a broad audience.",
    "“Gravity” is a drama film with a long history of strong months.",
    "It is rated 8.2 out of 10.",
    "It is priced at $12.50.",
    "The forecast for November 2013 is 170 users, with an 80% interval of 120 to 230.",
    "We expect about 170 viewers in November, between 120 and 230.",
    "It ranks third in the list, i.e. rank 3, well within the top 10.",
    "The forecast of 170 is above the 152 of October.",
    "The last seven days lift the forecast by 34%, while the time since release lowers it by 12%.",
    "The total audience multiplied the forecast by 2.5.",  # 1 + 1.5
    "Interest doubled from 72 in August to 152 in October.",  # 152 / 72 = 2.1
    "The film rose for two consecutive months.",
    "Eight times out of ten the number should land between 120 and 230.",
    "From July to August the count slipped by 28%.",  # 72 / 100 = 0.72
    "October drew 1.7 times as many users as September.",  # 152 / 88 = 1.73
    "Over five months it averaged 115 users a month.",  # 573 / 5 = 114.6
    "[Trend]: The popularity score increased significantly from 88 in September to 152 in October, indicating strong "
    "growth momentum. [Feature]: The film's production, including Alfonso Cuarón, enhances its appeal to sci-fi fans. "
    "[Integration]: Combining the upward trend with these features, a score of 170 in November is reasonable as it "
    "follows the upward trend.",
    "[Trend]: The historical data show a peak in June 2013 with a score of 161, followed by a significant drop in July "
    "and August (100 and 72), then a recovery to 152 in October. [Integration]: Given the recent momentum, a moderate "
    "increase to roughly 170 in November 2013 is plausible.",
    "With an average of 115 per month, a peak of 161 and a low point of 72 in August, the series is volatile; the "
    "predicted score of 170 slightly exceeds its previous record (161 in June).",
    "Popularity nearly doubled over two months (72 → 152), although the last week alone accounts for 60 of the 150 "
    "users seen in the past 30 days.",
    "Having started with 161 users in June 2013, it lost ground until August 2013 before picking up again.",
    "Looking at the numbers, viewership bottomed out at 72 in August before rebounding strongly to 152 by October.",
    "Between June and August, monthly viewers dropped by more than half, from 161 to 72.",
    "The monthly counts (161, 100, 72, 88, 152) trace a clear U-shape from June through October.",
    "With 152 ratings last month, demand is back near its June high of 161.",
    "October saw a sharp uptick: 152 viewers versus 88 the month before.",
    "Roughly two fifths of the last thirty days' viewers came in the final week.",
    "As of 1 November 2013, 573 people had rated the film, which averages 8.2.",
    "Directed by Alfonso Cuarón, this 2013 science-fiction drama costs $12.50.",
    "Since August the audience has more than doubled.",
    "The film lost 28 viewers from July to August, then gained 16 in September.",
    "Interest was at its lowest in August 2013 (72 viewers).",
    "We therefore project 170 viewers next month, 18 more than in October.",
    "That would be a rise of about 12% on October.",
    "The model puts it third, and its interval spans 120–230.",
    "A score around 170 seems justified given 152 in October and continued momentum of 60 viewers in the past week.",
    "It has had 88 users in September and 152 in October, a jump of 64.",
    "July was weaker than June, and August weaker still.",
    "The month of June remains the record at 161 viewers.",
    "This is a five-month-old title.",
    "Recency adds the most: the last seven days lift the estimate by roughly a third.",
)
FALSE = (
    ("number", "October 2013 brought 132 users."),
    ("number", "2013-08: 72, 2013-09: 80, 2013-10: 152."),
    ("number", "152 people in October 2013, up from 78 in September."),
    ("number", "August, September and October brought 72, 98 and 152 users."),
    ("number", "Usage climbed by 84 users in October."),
    ("number", "October's 152 users are 53% more than in September."),
    ("number", "In Oct 2013 it drew about 180 viewers."),
    ("number", "In total, 673 people have rated it."),
    ("number", "Forty people came in the last seven days."),
    ("number", "It is rated 7.2 out of 10."),
    ("number", "It is two years old."),
    ("number", "The forecast for November 2013 is 190 users."),
    ("number", "The forecast is 170 users, with an 80% interval of 100 to 230."),
    ("number", "The forecast is 170 users, with a 95% interval of 120 to 230."),
    ("number", "It is ranked #5."),
    ("number", "The last seven days lift the forecast by 54%."),
    ("number", "The total audience multiplied the forecast by 3.5."),
    ("number", "Some 1,152 viewers came."),
    ("number", "No users came in October."),
    ("number", "August 2013 brought 152 users."),
    ("number", "It has no history."),
    ("month", "In December 2013 it was popular."),
    ("month", "The forecast for October 2013 is in line with the trend."),
    ("month", "It first appeared in August 2013."),
    ("month", "In March 2013 it was popular."),
    ("month", "First seen on 9 June 2013."),
    ("direction", "The count fell from 72 in August to 88 in September."),
    ("direction", "Interest declined in October."),
    ("direction", "Interest rose in August 2013."),
    ("direction", "The audience was steady between September and October."),
    ("direction", "The forecast of 170 is below the 152 of October."),
    ("direction", "Interest has halved since August."),
    ("direction", "The time since release lifts the forecast."),
    ("direction", "Interest tripled from 72 in August to 152 in October."),
    ("direction", "It has been falling for two months in a row."),
    ("direction", "The daily pace of the last seven days is slowing."),
    ("peak", "It peaked in July 2013."),
    ("peak", "October was its best month."),
    ("peak", "August was the highest month so far."),
    ("peak", "September was the highest since June."),
    ("peak", "The lowest month was July."),
    ("attribute", "This comedy film has done well."),
    ("attribute", "Its genres are Drama and Horror."),
    ("attribute", "It was directed by Ron Howard."),
    ("attribute", "It was directed by Someone Else."),
    ("attribute", "The 2011 film has done well."),
    ("attribute", "It is priced at $15."),
    ("title", "“Rush” has done well."),
    ("title", "The audience of The Lone Ranger rose in October."),
    ("title", "Iron Man 3 drew 152 users in October."),
    ("title", "“Something Unheard Of” drew 152 users in October."),
    ("peak", "Looking at the numbers, viewership bottomed out at 72 in September before rebounding to 152 by October."),
    ("number", "Between June and August, monthly viewers dropped from 161 to 92."),
    ("number", "The monthly counts (161, 100, 82, 88, 152) trace a clear U-shape."),
    ("number", "With 132 ratings last month, demand is back near its June high of 161."),
    ("direction", "October saw a sharp decline: 152 viewers versus 88 the month before."),
    ("number", "As of 1 November 2013, 473 people had rated the film."),
    ("attribute", "Directed by Ron Howard, this 2013 drama costs $12.50."),
    ("direction", "Since August the audience has more than tripled."),
    ("number", "The film lost 48 viewers from July to August."),
    ("peak", "Interest was at its lowest in July 2013."),
    ("number", "We therefore project 140 viewers next month."),
    ("number", "That would be a rise of about 30% on October."),
    ("peak", "The month of July remains the record at 161 viewers."),
    ("number", "A score around 130 seems justified given 152 in October."),
    ("number", "It is a ten-month-old title."),
    ("direction", "Interest has been declining since August."),
    ("title", "Rush has been popular with 152 viewers in October."),
    ("attribute", "The horror film had 152 viewers in October."),
    ("direction", "It grew every month from June to August."),
    ("direction", "The forecast of 170 is well below the previous month."),
)


def check(text: str) -> Verdict:
    return verify_explanation(text, facts=GRAVITY, forecast=FORECAST, drivers=DRIVERS, vocabulary=VOCABULARY)


@pytest.mark.parametrize("text", TRUE)
def test_a_true_statement_passes(text: str) -> None:
    assert [(claim.kind, claim.text, claim.problem) for claim in check(text).unsupported] == []


@pytest.mark.parametrize(("kind", "text"), FALSE)
def test_a_false_statement_is_refused_for_what_is_false_in_it(kind: str, text: str) -> None:
    verdict = check(text)
    assert not verdict.verified
    assert kind in {claim.kind for claim in verdict.unsupported}
    assert all(claim.problem for claim in verdict.unsupported)
