"""The words of a page are explained where they stand, and no others."""

from synthcohort.pages import glossary


def test_the_list_holds_the_words_of_the_page_and_no_others():
    listed = glossary.explained("<p title='LOGAN'>C2ST AUROC of arf; Memorisation.</p><pre>DOMIAS</pre>")
    assert listed.count("<dt>") == 4
    for word in ("C2ST", "AUROC", "arf", "memorisation"):
        assert f"<dt>{word}</dt><dd>{glossary.WORDS[word].split(':')[0]}" in listed


def test_a_word_within_another_is_not_said():
    assert glossary.explained("<p>MARS, overflow, shapes and XC2ST</p>") == ""


def test_the_list_stands_above_the_second_heading():
    body = "<h1>AUROC?</h1><p>Yes.</p><h2>Why</h2>"
    before, after = glossary.placed(body).split('<details class="words">')
    assert before == "<h1>AUROC?</h1><p>Yes.</p>" and after.endswith("</details><h2>Why</h2>")
    assert glossary.placed("<p>TSTR</p>").startswith("<p>TSTR</p><details")
    assert glossary.placed("<p>Nothing odd.</p>") == "<p>Nothing odd.</p>"
