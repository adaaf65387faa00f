"""A made-up shop: eight themes, five types, and pages by title. Written for these tests only."""

import pytest

from core.base.errors import ResourceError
from core.labels.embedding_classifier import sentence_model
from core.labels.label_settings import LabelClass, LabelSettings, Taxonomy
from core.labels.label_types import Subject

THEMES = {
    "Shoes": ("footwear such as sneakers, boots and sandals", "shoes for running, hiking or everyday wear"),
    "Garden": ("plants, seeds and gardening tools", "furniture and decoration for the garden and balcony"),
    "Kitchen": ("pots, pans and knives for cooking", "kitchen appliances such as mixers and coffee machines"),
    "Books": ("novels, textbooks and comics to read", "authors and new book releases"),
    "Electronics": ("phones, laptops, headphones and televisions", "computer parts and accessories"),
    "Toys": ("toys, board games and puzzles for children",),
    "Beauty": ("cosmetics, perfume and skin care", "hair care and make-up"),
    "Pets": ("food and accessories for dogs and cats", "pet supplies"),
}
TYPES = {
    "Category": ("a list of many products of one kind",),
    "Product": ("one product with its price and an order button",),
    "Cart & checkout": ("a shopping cart, payment or an order confirmation",),
    "Search": ("search results",),
    "Account": ("signing in, a customer account or order history",),
}
PAGES = {
    "Ladies Trail Running Trainers": ("/p/trail-trainers", "Shoes"),
    "Wellington Boots": ("/c/wellies", "Shoes"),
    "Leather loafers, brown": ("/products/leather-loafers", "Shoes"),
    "Tomato seeds (organic)": ("/products/tomato-seeds", "Garden"),
    "Lawn mowers": ("/c/mowers", "Garden"),
    "Hammock with stand": ("/p/hammock", "Garden"),
    "Cast iron skillet 28 cm": ("/p/skillet", "Kitchen"),
    "Espresso makers": ("/c/espresso", "Kitchen"),
    "How to sharpen your chef's knife": ("/blog/sharpen-knife", "Kitchen"),
    "The Hobbit, hardcover": ("/p/the-hobbit", "Books"),
    "Science fiction bestsellers": ("/c/scifi", "Books"),
    "4K Monitor 27 inch": ("/p/monitor-4k", "Electronics"),
    "Wireless earbuds": ("/c/earbuds", "Electronics"),
    "USB-C charger 65W": ("/p/charger", "Electronics"),
    "Wooden train set": ("/p/train-set", "Toys"),
    "Jigsaw 1000 pieces": ("/p/jigsaw", "Toys"),
    "Moisturising face cream": ("/p/face-cream", "Beauty"),
    "Lipstick": ("/c/lipstick", "Beauty"),
    "Shampoo for dry hair": ("/p/shampoo", "Beauty"),
    "Scratching post": ("/p/scratching-post", "Pets"),
    "Puppy food 5kg": ("/p/puppy-food", "Pets"),
    "Aquarium filters": ("/c/aquarium", "Pets"),
    "Schuhe für Damen": ("/damen/schuhe", "Shoes"),
    "Livres pour enfants": ("/livres", "Books"),
    "Gartenmöbel": ("/garten/moebel", "Garden"),
}


def classes(names: dict[str, tuple[str, ...]]) -> tuple[LabelClass, ...]:
    return tuple(LabelClass(name=name, descriptions=texts) for name, texts in names.items())


TAXONOMY = Taxonomy(themes=classes(THEMES), types=classes(TYPES))
SETTINGS = LabelSettings(taxonomy=TAXONOMY)


def subject(title: str, path: str = "/p/:slug") -> Subject:
    """A page that a hundred users saw."""
    url = f"https://shop.example{path}"
    return Subject(url, (url,), (title,) if title else (), users=100, title_users=(100,) if title else ())


def needs_weights() -> None:
    try:
        sentence_model()
    except ResourceError as error:
        if "not installed" in str(error):
            pytest.skip(f"{error}")
        raise
