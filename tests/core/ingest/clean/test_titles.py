from core.ingest.clean.echoes import SiteContext
from core.ingest.clean.titles import choose_titles, public_words
from tests.core.ingest.clean.crowd import crowd, found

GREETINGS = {
    f"Hello {name} Miller – Shop": crowd(user)
    for user, name in enumerate(("Jo", "Al", "Bo", "Cy", "Di", "Ed"))
}


def title(titles: dict, page: str = "/p", **choices: tuple[str, ...]) -> str:
    return choose_titles({page: titles}, found(**choices), SiteContext({"hello", "call", "shop"}))[page][0]


def test_what_the_titles_of_a_page_have_in_common_stays() -> None:
    notes = found()
    assert choose_titles({"/p": GREETINGS}, notes)["/p"][0] == "Hello {…} Miller – Shop"
    assert notes.places["title of /p"].values == 6
    assert {"jo", "al"} <= notes.names


def test_a_usual_title_stays_whatever_else_was_sent() -> None:
    assert title({"Cart": crowd(*range(30)), "Cart (1)": crowd(40), "Warenkorb": crowd(41, 42)}) == "Cart"


def test_a_first_name_that_several_share_is_no_usual_title() -> None:
    names = {
        f"Hello {name}": crowd(*range(10 * n, 10 * n + 4))
        for n, name in enumerate(("Jo", "Al", "Bo", "Cy", "Di", "Ed"))
    }
    assert title(names) == "Hello {…}"


def test_a_title_that_one_user_saw_keeps_what_the_address_or_many_say() -> None:
    assert title({"Garden gnome – Shop": crowd(1)}, "/a/garden-gnome") == "Garden gnome – Shop"
    assert title({"Hello Padma Seshadri – Shop": crowd(1)}, "/order/done") == "Hello {…} – Shop"
    assert title({"Hello Padma Seshadri: order 88421": crowd(1)}, "/o/88421") == "Hello {…}: order 88421"
    assert title({"Tipps für Düsseldorf": crowd(1)}, "/a/tipps-duesseldorf") == "Tipps für Düsseldorf"
    assert title({"Albrecht_D%C3%BCrer": crowd(1)}, "/people/albrecht_dürer") == "Albrecht_D%C3%BCrer"


def test_where_rare_pages_are_usual_a_rare_title_stays() -> None:
    pages = {f"/wine/{n}": {f"Barolo {n}": crowd(n, n + 1)} for n in range(3)} | {
        "/wine/x": {"Chianti": crowd(9)}
    }
    assert choose_titles(pages, found(), SiteContext({"barolo"}))["/wine/x"][0] == "Chianti"


def test_a_number_that_many_saw_is_published() -> None:
    assert title({"Call 0170 1234567": crowd(1)}) == "Call {phone}"
    assert title({"Call 0170 1234567": crowd(*range(9))}) == "Call 0170 1234567"  # published


def test_titles_can_be_kept_by_choice() -> None:
    assert title(GREETINGS, keep=("title of /p",)) in GREETINGS


def test_public_words_are_those_that_many_saw() -> None:
    assert public_words([("Red Sofa", crowd(*range(5))), ("Jo", crowd(1))], 3) == {"red", "sofa"}
