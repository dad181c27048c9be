"""French and English by answers that a pupil knows."""

import pytest

from regard.demo import english, french
from regard.demo.family import Scene, tell
from regard.demo.grammar import (
    CLITICS,
    NOTHING,
    PRONOUNS,
    Clause,
    Text,
    ask,
    attribute,
    belonging,
    both,
    noun_phrase,
    proper,
    say,
)
from regard.demo.lexicon import lexicon
from regard.demo.patterns import standing_for

NOUNS, ADJECTIVES, VERBS = lexicon().nouns, lexicon().adjectives, lexicon().verbs
MARIE, PAUL = proper("Marie", "f"), proper("Paul", "m")


def phrase(noun, name="the", *adjectives, many=False):
    return noun_phrase(NOUNS[noun], name, tuple(ADJECTIVES[word] for word in adjectives), many)


def both_sides(nominal):
    return french.spell(nominal.text.fr), nominal.text.en


def clause(subject, verb, tense="present", complement=NOTHING, **more):
    return Clause(subject, VERBS[verb], tense, complement=complement, **more)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("le animal", "l'animal"),
        ("la eau", "l'eau"),
        ("le homme", "l'homme"),  # a mute h
        ("le hérisson", "le hérisson"),  # an aspirated h
        ("la haie", "la haie"),
        ("je habite", "j'habite"),
        ("je ne ai pas de eau", "je n'ai pas d'eau"),
        ("parce que elle", "parce qu'elle"),
        ("parce que le héros", "parce que le héros"),
        ("si il pleut", "s'il pleut"),
        ("si elle vient", "si elle vient"),
        ("il me a vu", "il m'a vu"),
    ],
)
def test_a_vowel_is_elided_before_a_vowel_and_before_a_mute_h_only(words, written):
    assert french.spell(words) == written


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("à le marché", "au marché"),
        ("à les enfants", "aux enfants"),
        ("près de le pont", "près du pont"),
        ("de les maisons", "des maisons"),
        ("à la gare", "à la gare"),
        ("à le hôtel", "à l'hôtel"),  # what is elided is not contracted
        ("de le ours", "de l'ours"),
        ("près de le hérisson", "près du hérisson"),
    ],
)
def test_a_preposition_and_an_article_become_one_word_unless_the_article_is_elided(words, written):
    assert french.spell(words) == written


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("chat", "chats"),
        ("cheval", "chevaux"),
        ("animal", "animaux"),
        ("journal", "journaux"),
        ("hôpital", "hôpitaux"),
        ("oiseau", "oiseaux"),
        ("heureux", "heureux"),
        ("souris", "souris"),
        ("bleu", "bleus"),
        ("beau", "beaux"),
    ],
)
def test_french_plurals(one, several):
    assert french.plural(one) == several


@pytest.mark.parametrize(
    ("adjective", "forms"),
    [
        ("small", "petit petite petits petites"),
        ("lazy", "paresseux paresseuse paresseux paresseuses"),
        ("beautiful", "beau belle beaux belles"),
        ("old", "vieux vieille vieux vieilles"),
        ("white", "blanc blanche blancs blanches"),
        ("expensive", "cher chère chers chères"),
        ("worried", "inquiet inquiète inquiets inquiètes"),
        ("kind", "gentil gentille gentils gentilles"),
        ("sad", "triste triste tristes tristes"),
        ("grey", "gris grise gris grises"),
    ],
)
def test_an_adjective_agrees_in_gender_and_number(adjective, forms):
    made = [french.agree(ADJECTIVES[adjective], gender, many) for many in (False, True) for gender in ("m", "f")]
    assert made == forms.split()


@pytest.mark.parametrize(
    ("made", "pair"),
    [
        (phrase("animal", "a", "beautiful"), ("un bel animal", "a beautiful animal")),
        (phrase("elephant", "this", "old"), ("ce vieil éléphant", "this old elephant")),
        (phrase("umbrella", "a", "new"), ("un nouveau parapluie", "a new umbrella")),
        (phrase("bird", "this"), ("cet oiseau", "this bird")),
        (phrase("hero", "this"), ("ce héros", "this hero")),
        (phrase("hedgehog", "a", "beautiful"), ("un beau hérisson", "a beautiful hedgehog")),
        (phrase("elephant", "the", "old", many=True), ("les vieux éléphants", "the old elephants")),
        (phrase("scarf", "a", "beautiful"), ("une belle écharpe", "a beautiful scarf")),
    ],
)
def test_bel_nouvel_vieil_and_cet_stand_before_a_vowel(made, pair):
    assert both_sides(made) == pair


def test_nouvel_stands_before_a_vowel():
    assert french.agree(ADJECTIVES["new"], "m", False, "hôtel") == "nouvel"


def test_a_noun_stands_between_its_adjectives_in_french_and_behind_them_in_english():
    assert both_sides(phrase("car", "a", "small", "red")) == ("une petite voiture rouge", "a small red car")
    assert both_sides(phrase("cat", "two", "old", "black", many=True)) == (
        "deux vieux chats noirs",
        "two old black cats",
    )


def test_des_becomes_de_before_an_adjective():
    assert both_sides(phrase("dress", "some", "red", many=True)) == ("des robes rouges", "some red dresses")
    assert both_sides(phrase("dress", "some", "beautiful", many=True)) == ("de belles robes", "some beautiful dresses")


def test_a_partitive_is_du_de_la_or_de_l_and_de_after_a_negation():
    made = [both_sides(phrase(noun, name))[0] for noun in ("bread", "meat", "water") for name in ("some", "any")]
    assert made == ["du pain", "de pain", "de la viande", "de viande", "de l'eau", "d'eau"]


def test_a_possessive_is_masculine_before_a_vowel():
    assert both_sides(phrase("story", "my")) == ("mon histoire", "my story")
    assert both_sides(phrase("plate", "her", "old")) == ("sa vieille assiette", "her old plate")
    assert both_sides(phrase("scarf", "his", many=True)) == ("ses écharpes", "his scarves")


def test_what_somebody_owns():
    anne, uncle = proper("Anne", "f"), phrase("uncle", "my")
    assert both_sides(belonging(NOUNS["dog"], anne)) == ("le chien d'Anne", "Anne's dog")
    assert both_sides(belonging(NOUNS["key"], uncle)) == ("la clé de mon oncle", "my uncle's key")


@pytest.mark.parametrize(
    ("infinitive", "present"),
    [
        ("manger", "mange mange mangeons mangez mangent"),
        ("nager", "nage nage nageons nagez nagent"),
        ("acheter", "achète achète achetons achetez achètent"),
        ("préférer", "préfère préfère préférons préférez préfèrent"),
        ("vendre", "vends vend vendons vendez vendent"),
        ("finir", "finis finit finissons finissez finissent"),
        ("prendre", "prends prend prenons prenez prennent"),
        ("aller", "vais va allons allez vont"),
        ("boire", "bois boit buvons buvez boivent"),
    ],
)
def test_the_present(infinitive, present):
    assert [french.conjugate(infinitive, "present", person) for person in french.PERSONS] == present.split()


@pytest.mark.parametrize(
    ("infinitive", "person", "imparfait", "future"),
    [
        ("manger", "il", "mangeait", "mangera"),
        ("nager", "nous", "nagions", "nagerons"),
        ("être", "vous", "étiez", "serez"),
        ("avoir", "je", "avais", "aurai"),
        ("boire", "ils", "buvaient", "boiront"),
        ("voir", "je", "voyais", "verrai"),
        ("acheter", "nous", "achetions", "achèterons"),
        ("nettoyer", "il", "nettoyait", "nettoiera"),
        ("venir", "ils", "venaient", "viendront"),
    ],
)
def test_the_imparfait_and_the_future(infinitive, person, imparfait, future):
    assert french.conjugate(infinitive, "imparfait", person) == imparfait
    assert french.conjugate(infinitive, "future", person) == future


@pytest.mark.parametrize(
    ("subject", "written"),
    [
        (PAUL, "Paul est arrivé."),
        (MARIE, "Marie est arrivée."),
        (PRONOUNS["they"], "Ils sont arrivés."),
        (phrase("girl", many=True), "Les filles sont arrivées."),
        (both(MARIE, PAUL), "Marie et Paul sont arrivés."),
        (both(MARIE, proper("Anne", "f")), "Marie et Anne sont arrivées."),
        (PRONOUNS["you"], "Vous êtes arrivé."),
    ],
)
def test_a_participle_with_etre_agrees_with_the_subject(subject, written):
    assert say(clause(subject, "arrive", "past")).sentence().fr == written


def test_a_participle_with_avoir_agrees_with_the_object_before_it_only():
    letter = phrase("letter")
    assert say(clause(PAUL, "read", "past", letter.text)).sentence() == (
        "Paul a lu la lettre.",
        "Paul read the letter.",
    )
    her = clause(PRONOUNS["we"], "invite", "past", clitic=CLITICS["her"])
    assert say(her).sentence() == ("Nous l'avons invitée.", "We invited her.")
    them = clause(PRONOUNS["I"], "look for", "past", clitic=CLITICS["them"], negative=True)
    assert say(them).sentence() == ("Je ne les ai pas cherchés.", "I did not look for them.")


@pytest.mark.parametrize(
    ("tense", "fr", "en"),
    [
        ("present", "Elle n'écoute pas Paul.", "She is not listening to Paul."),
        ("past", "Elle n'a pas écouté Paul.", "She did not listen to Paul."),
        ("future", "Elle n'écoutera pas Paul.", "She will not listen to Paul."),
        ("progressive past", "Elle n'écoutait pas Paul.", "She was not listening to Paul."),
        ("habit", "Elle n'écoute pas Paul.", "She does not listen to Paul."),
    ],
)
def test_a_negation_goes_round_the_finite_verb_and_is_elided(tense, fr, en):
    assert say(clause(PRONOUNS["she"], "listen to", tense, PAUL.text, negative=True)).sentence() == (fr, en)


def test_an_adverb_follows_the_french_verb_and_goes_before_the_english_one():
    never = clause(PRONOUNS["I"], "sleep", "habit", adverb="never")
    assert say(never).sentence() == ("Je ne dors jamais.", "I never sleep.")
    often = clause(PAUL, "sleep", "habit", adverb="often")
    assert say(often).sentence() == ("Paul dort souvent.", "Paul often sleeps.")


def test_a_state_is_simple_in_english_and_has_the_imparfait_for_its_past():
    paul, cat = PRONOUNS["he"], phrase("cat", "a").text
    assert say(clause(paul, "want", "present", cat)).sentence() == ("Il veut un chat.", "He wants a cat.")
    assert say(clause(paul, "want", "past", cat)).sentence() == ("Il voulait un chat.", "He wanted a cat.")
    assert say(clause(paul, "see", "past", cat)).sentence() == ("Il a vu un chat.", "He saw a cat.")


def test_a_question_begins_with_est_ce_que_and_with_the_english_operator():
    asked = [ask(clause(phrase("cat"), "sleep", tense)).sentence("?") for tense in ("present", "past", "future")]
    assert asked == [
        ("Est-ce que le chat dort ?", "Is the cat sleeping?"),
        ("Est-ce que le chat a dormi ?", "Did the cat sleep?"),
        ("Est-ce que le chat dormira ?", "Will the cat sleep?"),
    ]
    why = ask(clause(PRONOUNS["he"], "leave"), Text("pourquoi", "why"))
    assert why.sentence("?") == ("Pourquoi est-ce qu'il part ?", "Why is he leaving?")
    bread = ask(clause(PRONOUNS["you"], "buy", "past", phrase("bread", "some").text))
    assert bread.sentence("?") == ("Est-ce que vous avez acheté du pain ?", "Did you buy any bread?")


def test_can_is_not_said_with_do():
    swim = clause(PRONOUNS["she"], "can", complement=Text("nager", "swim"), negative=True)
    assert say(swim).sentence() == ("Elle ne peut pas nager.", "She cannot swim.")
    assert ask(swim._replace(negative=False)).sentence("?") == ("Est-ce qu'elle peut nager ?", "Can she swim?")


def test_it_takes_the_gender_of_what_it_stands_for_and_the_adjective_agrees():
    scene = Scene(NOUNS["animal"], NOUNS["street"], VERBS["cross"], ("past", "past"), Text("trop", "too"))
    assert tell(scene, "tired", "m", "m") == (
        "L'animal n'a pas traversé la rue parce qu'il était trop fatigué.",
        "The animal did not cross the street because it was too tired.",
    )
    assert tell(scene, "wide", "f", "f") == (
        "L'animal n'a pas traversé la rue parce qu'elle était trop large.",
        "The animal did not cross the street because it was too wide.",
    )
    assert tell(scene, "tired", "f", "f").fr.endswith("parce qu'elle était trop fatiguée.")
    assert tell(scene, "tired", "f", "m").fr.endswith("parce qu'elle était trop fatigué.")
    cow = scene._replace(animal=NOUNS["cow"], place=NOUNS["garden"], verb=VERBS["enter"])
    assert tell(cow, "hungry", "f", "f") == (
        "La vache n'est pas entrée dans le jardin parce qu'elle avait trop faim.",
        "The cow did not enter the garden because it was too hungry.",
    )


def test_women_are_elles():
    assert standing_for(phrase("queen", many=True)).text == ("elles", "they")
    assert standing_for(phrase("king", many=True)).text == ("ils", "they")
    assert standing_for(PRONOUNS["I"]) == PRONOUNS["I"]


@pytest.mark.parametrize(
    ("adjective", "more"),
    [("big", "bigger"), ("happy", "happier"), ("brave", "braver"), ("shy", "shyer"), ("nervous", "more nervous")],
)
def test_english_comparatives(adjective, more):
    assert english.comparative(ADJECTIVES[adjective]) == more


def test_english_articles_and_plurals():
    assert [english.article(word) for word in ("apple", "horse", "university", "hour")] == ["an", "a", "a", "an"]
    plurals = {
        "mouse": "mice",
        "wolf": "wolves",
        "box": "boxes",
        "story": "stories",
        "boy": "boys",
        "church": "churches",
    }
    assert {word: english.noun_form(NOUNS[word], True) for word in plurals} == plurals


@pytest.mark.parametrize(
    ("verb", "past", "ing", "third"),
    [
        ("prefer", "preferred", "preferring", "prefers"),
        ("like", "liked", "liking", "likes"),
        ("run", "ran", "running", "runs"),
        ("watch", "watched", "watching", "watches"),
        ("stay", "stayed", "staying", "stays"),
        ("go", "went", "going", "goes"),
        ("write", "wrote", "writing", "writes"),
        ("see", "saw", "seeing", "sees"),
    ],
)
def test_english_verbs(verb, past, ing, third):
    assert (english.past(VERBS[verb]), english.ing(verb), english.third(verb)) == (past, ing, third)


def test_a_woman_and_a_girl_are_feminine_attributes():
    lady = phrase("woman")
    assert attribute(lady, ADJECTIVES["tired"], Text("très", "very")) == ("très fatiguée", "very tired")


def test_every_verb_can_be_conjugated_and_every_irregular_one_has_seven_parts():
    for verb in VERBS.values():
        assert len(french.forms(verb.head_fr)) == 7, verb.fr
    unused = set(lexicon().conjugation) - {verb.head_fr for verb in VERBS.values()}
    assert not unused
