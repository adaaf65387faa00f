from core.scoring import align


def test_new_pages_take_the_names_the_model_knows() -> None:
    known = {"https://a.example/order/{id}", "https://a.example/item/7", "https://a.example/"}
    new = ["https://a.example/order/12", "https://a.example/item/7", "https://a.example/item/8"]
    assert align(new, known) == [
        "https://a.example/order/{id}",  # the template is known
        "https://a.example/item/7",  # the page itself is known
        "https://a.example/item/8",  # neither: stays as it is
    ]
