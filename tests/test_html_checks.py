"""The check that every page goes through finds what is wrong with one."""

import pytest

from tests.html_checks import problems

PAGE = '<!doctype html><html lang="en"><head><title>T</title></head><body><main><h1>H</h1>{}</main></body></html>'


def test_a_valid_page_has_no_problems():
    part = '<p>a <b>b</b></p><ul><li><a href="/">c</a></li></ul><label for="x">d</label><input id="x" name="x">'
    assert problems(PAGE.format(part)) == []


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("<p><div>a</div></p>", "<div> in <p>"),
        ("<div><b>a</div>", "</div> in line 1 inside <b>"),
        ("<span><div>a</div></span>", "<div> in <span>"),
        ("<ul><div>a</div></ul>", "<div> in <ul>"),
        ("<dl><p>a</p></dl>", "<p> in <dl>"),
        ("<table><p>a</p></table>", "<p> in <table>"),
        ('<a href="/"><button type="button">a</button></a>', "<button> in <a>"),
        ('<a href="/"><div>a</div></a><h2><a href="/"><div>a</div></a></h2>', "<div> in <a>"),
        ('<i id="x">a</i><i id="x">b</i>', "“x” is there 2 times"),
        ('<i id="a b">a</i>', "white space"),
        ('<i class="a" class="b">a</i>', "class is given 2 times"),
        ('<i style="color: red">a</i>', "inline style"),
        ("<style>i {}</style>", "inline style"),
        ("<script>1</script>", "inline script"),
        ('<button type="button" onclick="go()">a</button>', "onclick"),
        ("<button>a</button>", "without type"),
        ('<label for="nowhere">a</label>', "nowhere"),
        ('<i aria-describedby="x y" id="x">a</i>', "“y”, which is not there"),
        ('<img src="/a.png">', "without alt"),
        ('<p align="left">a</p>', "no attribute align"),
        ("<center>a</center>", "not in the tables"),
        ("<h1>again</h1>", "2 <h1>"),
        ("<div>a", "never closed"),
        ('<time datetime="2026-11-24T12:22:52.844174+01:00">a</time>', "is no moment"),
    ],
)
def test_what_is_wrong_is_found(part, said):
    found = problems(PAGE.format(part))
    assert any(said in each for each in found), found


def test_a_page_begins_with_its_doctype():
    assert problems(PAGE.format("").removeprefix("<!doctype html>")) != []


def test_a_part_of_a_page_may_refer_to_the_rest():
    assert problems('<label for="elsewhere">a</label>', fragment=True) == []
    assert problems('<i style="x">a</i>', fragment=True) != []
