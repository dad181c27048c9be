"""Every method gives one kind of result; words have what their pieces have; why one word and not another."""

import numpy as np
import pytest
import torch

from regard.errors import InputError
from regard.looking.attribution import GRADIENTS, MAPS, METHODS, RULES, attribute, attribute_trace, why
from regard.looking.blocks import as_sentences, passed, sentences
from regard.looking.gradients import gradient_x_input
from regard.looking.segments import pair, pair_of, pieces_of, replaced_in
from regard.looking.substitutes import substitutes

SOURCE, TARGET = "it was too tired", "il était trop fatigué"


@pytest.fixture(params=["pre", "post"])
def translator(request, fresh):
    return fresh({"model.norm": request.param})


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_row_for_each_word_written_and_knows_no_future(translator, method):
    found = attribute(translator, SOURCE, TARGET, method=method)
    assert found.written == ["il", "était", "trop", "fatigué", "</s>"]
    assert found.read_source == ["it", "was", "too", "tired", "</s>"]
    assert found.read_prefix == ["<s>", "il", "était", "trop", "fatigué"]
    assert found.source.shape == found.prefix.shape == (5, 5)
    for row in range(5):  # a word of several pieces reads its own beginning, never what is behind it
        assert np.abs(found.prefix[row, row + 2 :]).max(initial=0) < 1e-5
    assert np.abs(found.source).max() > 0
    assert len(found.table()) == 50
    assert found.table()[7] == {"written": "était", "read": "too", "side": "source", "value": found.source[1, 2]}


@pytest.mark.parametrize("method", ["alti", "rollout", "value-zeroing"])
def test_shares_still_sum_to_one_over_the_words_of_both_sides(translator, method):
    found = attribute(translator, SOURCE, TARGET, method=method)
    np.testing.assert_allclose(found.source.sum(axis=1) + found.prefix.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found.source_share(), found.source.sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("method", [*MAPS, *GRADIENTS])
def test_a_word_has_the_sum_of_the_pieces_read_and_the_mean_or_the_sum_of_those_written(translator, method):
    by_words = attribute(translator, SOURCE, TARGET, method=method)
    by_pieces = attribute(translator, SOURCE, TARGET, method=method, by="pieces")
    both = pair(translator, SOURCE, TARGET)
    written, read = both.written_words[3].pieces, both.source_words[3].pieces
    assert len(written) > 1
    assert len(read) > 1
    block = by_pieces.source[written.start : written.stop, read.start : read.stop].sum(axis=1)
    merged = block.mean() if by_words.unit in ("share", "norm") else block.sum()
    assert by_words.source[3, 3] == pytest.approx(merged, rel=1e-5)


def test_by_pieces_the_numbers_are_those_of_the_method_itself(translator):
    model = translator.model
    found = attribute(translator, SOURCE, TARGET, method="gradient", by="pieces")
    batch = sentences(translator, [SOURCE], [TARGET])
    row = gradient_x_input(model, batch, torch.tensor([4]))
    np.testing.assert_allclose(found.source[4], row.source[0, 0], atol=1e-5)
    weights = attribute(translator, SOURCE, TARGET, method="weights", by="pieces")
    last = passed(model, batch).cross[-1].weights[0]
    np.testing.assert_allclose(weights.source, last.mean(dim=0), atol=1e-6)


def test_a_word_of_the_toy_language_owes_its_translation_to_the_word_it_translates(learned):
    for method in (*RULES, "marginalised"):
        found = attribute(learned, "ba de bo du", "nab ned nob nud", method=method, direction="fr-en")
        assert found.read_source[0] == "<2en>"
        assert found.source[:4, 1:5].argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_without_a_target_the_models_own_translation_is_explained(learned):
    found = attribute(learned, "ba de bo", direction="fr-en")
    assert found.written == ["nab", "ned", "nob", "</s>"]
    assert found.method == "alti"


def test_a_trace_is_explained_with_its_own_pieces(learned):
    trace = learned.look("ba de bo", direction="fr-en")
    found, expected = attribute_trace(trace), attribute(learned, "ba de bo", trace.translation, direction="fr-en")
    np.testing.assert_allclose(found.source, expected.source, atol=1e-6)
    assert pair_of(trace, "pieces").written == trace.target_ids


def test_a_trace_from_a_file_knows_no_model_and_says_so(learned, tmp_path):
    trace = learned.look("ba de bo", direction="fr-en")
    trace.save(tmp_path / "trace.npz")
    with pytest.raises(InputError, match="knows no model"):
        attribute_trace(type(trace).load(tmp_path / "trace.npz"))


def test_a_method_that_there_is_not_is_answered_with_those_that_there_are(translator):
    with pytest.raises(InputError, match=r"no attribution method 'shap'; there are weights, .*marginalised"):
        attribute(translator, SOURCE, TARGET, method="shap")


@pytest.mark.parametrize("method", ["integrated-gradients", *RULES])  # the gradient alone is misled by saturation
def test_why_a_word_of_the_toy_language_and_not_another_is_answered_by_the_word_it_translates(learned, method):
    answer = why(learned, "ba de bo", "nab ned nob", "ned", instead_of="nod", method=method, direction="fr-en")
    assert answer.log_odds > 1
    assert answer.attribution.written == ["ned"]
    assert answer.attribution.read_source[int(answer.attribution.source[0].argmax())] == "de"


def test_a_trace_is_asked_why_in_one_line(learned):
    trace = learned.look("ba de bo", direction="fr-en")
    answer = trace.why("ned", instead_of="nod", method="occlusion-drop")
    asked = why(learned, "ba de bo", "nab ned nob", "ned", instead_of="nod", method="occlusion-drop", direction="fr-en")
    assert answer.log_odds == asked.log_odds
    assert answer.attribution.source.tolist() == asked.attribution.source.tolist()


def test_an_answer_is_the_difference_of_log_odds_with_and_without_a_word(translator):
    answer = why(translator, SOURCE, TARGET, "trop", instead_of="fatigué", method="occlusion-drop")
    pieces = translator.tokenizer.encode_target(TARGET)
    other = translator.tokenizer.encode_target("il était fatigué fatigué")
    at = next(place for place, (a, b) in enumerate(zip(pieces, other, strict=False)) if a != b)

    def odds(line):
        batch = as_sentences(translator.model, [translator.tokenizer.encode_source(line)], [pieces])
        with torch.no_grad():
            log_p = translator.model(batch.source, batch.read)[0, at].log_softmax(dim=-1)
        return float(log_p[pieces[at]] - log_p[other[at]])

    assert answer.log_odds == pytest.approx(odds(SOURCE), abs=1e-5)
    assert answer.attribution.source[0, 2] == pytest.approx(odds(SOURCE) - odds("it was tired"), abs=1e-4)


def test_a_question_that_cannot_be_answered_says_why(translator):
    with pytest.raises(InputError, match="There is no 'elle' in"):
        why(translator, SOURCE, TARGET, "elle", instead_of="il")
    with pytest.raises(InputError, match="the same word twice"):
        why(translator, SOURCE, TARGET, "il", instead_of="il")
    with pytest.raises(InputError, match="'alti' cannot tell why one word and not another; these can: gradient"):
        why(translator, SOURCE, TARGET, "il", instead_of="elle", method="alti")


def test_the_pieces_of_a_word_are_found_wherever_its_borders_fall():
    assert pieces_of(["▁Le", "▁ch", "ien", "▁n", "'", "est"], "chien") == [1, 2]
    assert pieces_of(["▁l", "'", "égl", "ise", "▁et", "▁l", "'", "église"], "l'église") == [0, 1, 2, 3]
    assert pieces_of(["▁The", "▁", "cat"], "the cat") == [0, 2]
    assert pieces_of(["▁category"], "cat") == []


def test_only_a_whole_word_is_replaced():
    assert replaced_in("il dort parce qu'il fait mal", "il", "elle") == "elle dort parce qu'il fait mal"
    assert replaced_in("Utile, qu'Il dort", "il", "elle") == "Utile, qu'elle dort"


def test_substitutes_are_of_the_words_kind_and_never_the_word_itself(translator):
    both = pair(translator, SOURCE, TARGET)
    near = substitutes(translator, both, count=5)
    assert len(near) == len(both.source_words) + len(both.read_words) - 1
    names = translator.tokenizer.source.pieces(range(len(translator.tokenizer.source)))
    for word, others in zip(both.source_words[:-1], near, strict=False):
        own = both.source[word.pieces.start : word.pieces.stop]
        assert len(others) == 5
        assert all(names[piece].startswith("▁") and piece not in own for (piece,) in others)
    assert near[len(both.source_words) - 1] == []  # the end of the sentence


def test_the_substitutes_of_a_word_can_be_given(learned):
    line, target, words = "ba de bo", "nab ned nob", ["du", "da di"]
    found = attribute(learned, line, target, method="marginalised", direction="fr-en", given={"de": words})
    before, *after = learned.score([line, "ba du bo", "ba da di bo"], [target] * 3, direction="fr-en")
    expected = [sum(abs(other.log_probs[at] - before.log_probs[at]) for other in after) / 2 for at in range(4)]
    np.testing.assert_allclose(found.source[:, 2], expected, atol=1e-4)
