"""Sentences as callees say them, with the place where they stop to think; and whole ones.

A bar is the pause. Some of what stands before it cannot be told from a whole sentence by its words.
"""

PAUSED = """
we are open from nine | to five on weekdays
that would be | eighty dollars with delivery
that would be eighty | five dollars
my number is five five five | zero one four two
it is three one two | five five five zero one four two
our address is | twelve elm street
our address is twelve | elm street
the name is spelled r o s | i e
we could do thursday | or friday morning
let me see | we have a table at seven
i think | we can do that for you
we have roses and | tulips at the moment
we have red | and white roses today
you would have to | call back tomorrow morning
if you come before noon | you can pick it up today
when you arrive | please ring the bell
the doctor is not | in today
the manager will be back | at around four
could you tell me | when you need them
what is the | delivery address
so that is a dozen red roses | for friday
it costs about | seventy five dollars
we charge | ten dollars for delivery
we can offer you | a smaller table
the first appointment is on | monday at ten
there is one on march | the third
she teaches the | second grade
he is in a meeting until | half past three
i would need his | date of birth
well | that depends on the size
actually | we closed at five
um | let me think about that
yes but | only in the afternoon
no because | we are fully booked
and what was the | last name again
do you want them | delivered or will you pick them up
is it for | today or tomorrow
it should be ready by | tuesday afternoon
you can pay by card or | in cash
please hold it for mister | miller
we open at | nine thirty
we deliver between | two and four
the price is | five hundred and sixty dollars
five hundred | and sixty dollars all in
twenty | five dollars each
i am sorry but | we do not do that any more
we do not | have any left
they are very | popular at the moment
it is the second | door on the left
take the | number nine bus
you said it was for | four people right
the total comes to | ninety two dollars
your reference is | b seven four two
your reference is b | seven four two
the best time would be | early in the morning
as far as i know | the school opens at eight
i can put you down for | six thirty
there is a fee of | twenty dollars
we only take | reservations until eight
it takes about | two weeks
how many | people are coming
can i have your | phone number please
would saturday | work for you as well
we have no | tables before nine
in that case | i would suggest the lilies
the thing is | we are short of staff
for delivery we need | a street address
because of the holiday | we close at noon
mara is in | room twelve today
you should talk to | our accounts department
her extension is | four one seven
the lunch menu is | fifteen dollars per person
it's a small | place near the station
i will make a | note of that
we ask for a deposit of | fifty dollars
you need to bring | your insurance card
monday tuesday and | thursday are possible
either this friday | or the one after
the earliest would be next | wednesday at two
we are on the corner of | elm and main street
if nobody is at home | we leave it with a neighbour
once you have paid | we send you a receipt
how would you like to | pay for that
i just need the | spelling of the name
let me just check | the book for friday
there are two kinds | one with and one without thorns
sorry | we are out of tulips
good morning this is | lincoln elementary
hold on | i have to look that up
so you want | a dozen for friday
"""

WHOLE = """
we have roses
we are open until five
that would be eighty dollars
what is your phone number
how can i help you
who are they for
when do you need them
we could do thursday morning
the doctor is not in today
i can put you down for six thirty
yes we do
no we don't
that's fine
could you say that again
what was the name
we do not do that any more
thank you for letting us know
what would you like
do you want them delivered
is it for today or tomorrow
it costs seventy five dollars
the manager will be back at four
we have a table at seven
sure no problem
i will make a note of that
she is in the second grade
we are fully booked tonight
would you like that
it takes two weeks
you can pick it up today
we have books upstairs every monday
we have maps outside every friday
five hundred and sixty dollars
lincoln elementary how can i help you
what time would you like to come
anything else i can do for you
can you hear me
it should be ready by tuesday
delivery is ten dollars
our address is twelve elm street
i think so
how much would you like to spend
what is it about
which day suits you
yes it is
i'm not sure about that
we closed at five
he is in a meeting
all right i wrote it down
there is a fee of twenty dollars
"""


def paused() -> list[tuple[str, str]]:
    """(before, after) the pause."""
    return [(before.strip(), after.strip()) for before, _, after in (line.partition("|") for line in _lines(PAUSED))]


def whole() -> list[str]:
    return _lines(WHOLE)


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()
