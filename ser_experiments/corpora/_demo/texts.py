"""What is said: sentences that tell nothing about an emotion, and three short scripts.

Improvised sentences are put together from parts, so that no two of a corpus are the same. Scripted lines are the same
in every session, and each has an emotion that the script asks for: words and emotion go together there, as in plays.
"""

from __future__ import annotations

import numpy as np

_THINGS = (
    "folder",
    "kettle",
    "ladder",
    "parcel",
    "printer",
    "spare key",
    "timetable",
    "ledger",
    "lamp",
    "map",
    "basket",
    "umbrella",
    "notebook",
    "blue chair",
    "radio",
    "second drawer",
    "box of labels",
    "suitcase",
    "calendar",
    "hammer",
)
_PLACES = (
    "on the shelf",
    "by the window",
    "in the hallway",
    "behind the counter",
    "next to the lift",
    "under the stairs",
    "at the station",
    "in the back office",
    "near the fountain",
    "on the second floor",
    "beside the piano",
    "across the road",
    "at the corner",
    "in the garden",
)
_TIMES = (
    "on Thursday",
    "before nine",
    "after lunch",
    "around noon",
    "at a quarter past four",
    "this week",
    "in the morning",
    "last Monday",
    "in October",
    "twice a day",
    "until seven",
    "by the end of May",
)
_PEOPLE = (
    "my cousin",
    "the driver",
    "the clerk",
    "Mister Reed",
    "our neighbour",
    "the gardener",
    "the man from the office",
    "the woman at the desk",
    "one of the students",
    "Helen",
    "the plumber",
    "somebody upstairs",
)
_TEMPLATES = (
    "The {thing} is {place}.",
    "{person} has the {thing}.",
    "It was {place} {time}.",
    "I saw {person} {time}.",
    "{person} put the {thing} {place}.",
    "We moved the {thing} {time}.",
    "I left the {thing} {place} {time}.",
    "They keep the {thing} {place}.",
    "{person} was {place} {time}.",
    "There are two of them {place}.",
    "You can ask {person} about the {thing}.",
    "{person} said that the {thing} came {time}.",
    "The {thing} and the {thing2} are {place} now.",
    "Then {person} carried the {thing} to the {thing2}.",
    "I think the {thing} belongs {place}.",
    "We need the {thing} and the {thing2} {time}.",
)

#: Script and its lines: what is said and what the script asks for. The woman has the first line, then they alternate.
SCRIPTS: dict[str, tuple[tuple[str, str], ...]] = {
    "01_1": (
        ("You told me the train was at six.", "neu"),
        ("I told you it was at seven.", "ang"),
        ("It says six on the board over there.", "ang"),
        ("That is the board for the other side.", "fru"),
        ("There are two bags here and one ticket.", "ang"),
        ("The other ticket is in your coat.", "neu"),
        ("This is the coat from last winter.", "fru"),
        ("Then it is at home on the table.", "sad"),
        ("We have been here since half past four.", "ang"),
        ("I know how long we have been here.", "ang"),
        ("The next one leaves in the evening.", "sad"),
        ("They will have to start without us.", "sad"),
        ("I asked you about this on Sunday.", "ang"),
        ("You asked me about the other journey.", "fru"),
        ("Give me the number of the house.", "neu"),
        ("It is the same number as before.", "neu"),
    ),
    "01_2": (
        ("They took the piano out this morning.", "sad"),
        ("I saw the two men and the van.", "sad"),
        ("It stood by that wall for thirty years.", "sad"),
        ("The wall has another colour there.", "neu"),
        ("She used to open the window first.", "sad"),
        ("And then she put the lamp on top.", "sad"),
        ("There is still a chair in the kitchen.", "neu"),
        ("I will take the chair on Friday.", "neu"),
        ("You can have the clock as well.", "sad"),
        ("The clock has not gone since March.", "sad"),
        ("What shall we do with the letters.", "neu"),
        ("Put them all into the grey box.", "neu"),
        ("Some of them are older than we are.", "sur"),
        ("This one was sent from the harbour.", "hap"),
        ("Then we leave the keys with the porter.", "sad"),
        ("He lives on the ground floor now.", "neu"),
    ),
    "02_1": (
        ("The envelope came with the second post.", "exc"),
        ("Which envelope do you mean.", "neu"),
        ("The long one with the green stamp.", "exc"),
        ("Then they have read what you sent them.", "exc"),
        ("They want me to come in September.", "hap"),
        ("That is the house beside the lake.", "hap"),
        ("There is a room for the two of us.", "exc"),
        ("I can be there by the tenth.", "hap"),
        ("We need somebody for the garden.", "neu"),
        ("My brother could look after it.", "hap"),
        ("Read me the last line again.", "exc"),
        ("It says that all of it is paid.", "exc"),
        ("I put it down and read it twice.", "hap"),
        ("Then we can go there every week.", "hap"),
        ("I am going to call the others.", "exc"),
        ("The number is in the blue book.", "neu"),
    ),
}


def improvise(n_sentences: int, rng: np.random.Generator) -> list[str]:
    """Return sentences of which no two are alike.

    Parameters
    ----------
    n_sentences : int
        How many.
    rng : Generator
        Source of the choice.
    """
    seen: dict[str, None] = {}
    while len(seen) < n_sentences:
        thing, thing2 = rng.permutation(len(_THINGS))[:2]
        sentence = _TEMPLATES[int(rng.integers(len(_TEMPLATES)))].format(
            thing=_THINGS[int(thing)],
            thing2=_THINGS[int(thing2)],
            place=_PLACES[int(rng.integers(len(_PLACES)))],
            time=_TIMES[int(rng.integers(len(_TIMES)))],
            person=_PEOPLE[int(rng.integers(len(_PEOPLE)))],
        )
        seen[sentence[0].upper() + sentence[1:]] = None
    return list(seen)
