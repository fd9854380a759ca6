"""Which words of a title say what a program is about: no particles, no numbers, no words that many programs have."""

from catalog.words.lexicon import Lexicon
from catalog.words.spelling import split

# Words that are looked for, and letters that such a word has at least.
_MAX_WORDS, _LETTERS = 3, 3
# A word is left out that is in more programs than this, and than one tenth of those that have the most frequent word.
_FREQUENT, _SHARE = 10, 10
# Words that stand between others in both languages, and those that name a kind; a small catalogue has few of each.
_PARTICLES = frozenset(
    split("""
    بلا بدون سوى عدا عبد ابن أيضا فقط جدا ربما
    من في على إلى عن مع بين بعد قبل عند حتى منذ خلال دون غير مثل نحو ضد حول أمام خلف فوق تحت الى
    الذي التي الذين اللذان اللتان اللواتي هذا هذه هؤلاء ذلك تلك هنا هناك أنا أنت نحن هو هي هم هن
    ما ماذا لماذا كيف متى أين كم هل أي من ممن عما كل بعض أو أم ثم بل لكن لأن كي إذا إذ لو لولا حين عندما بينما كما
    لا لم لن ليس ليست قد سوف كان كانت يكون تكون أن إن كأن ليت لعل إلا يا أول آخر أخر مرة حلقة الحلقة جزء الجزء موسم الموسم
    the and for with from into onto over under about after before between through without within against
    this that these those what when where which who whom whose why how here there then than
    you your our his her its their they them she him are was were been being have has had does did done
    can could will would shall should may might must not nor but yet all any some each every more most less
    one two three four five part episode season first last new now still also never like get got goes going make made says
    podcast show interview guest live special trailer video official full best حوار لقاء بودكاست برنامج
    """)
)


def telling(lexicon: Lexicon, title: str) -> list[str]:
    """Return the words of a title that say something and that another program has, too, the rarest first.

    Args:
        lexicon: Knows how many programs have a word.
        title: The title.
    """
    most = max(_FREQUENT, lexicon.most // _SHARE)
    words = [
        word
        for word in split(title)
        if len(word) >= _LETTERS and not word.isdigit() and word not in _PARTICLES
    ]
    counts = {word: lexicon.count(word) for word in words}
    # The program itself has it, too.
    said = [word for word, count in counts.items() if 2 <= count <= most]
    return sorted(said, key=lambda word: (counts[word], word))[:_MAX_WORDS]
