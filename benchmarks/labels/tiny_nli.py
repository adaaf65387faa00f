"""An entailment model made on the spot: a real architecture for the real pipeline, with random weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LABELS: Final = {0: "contradiction", 1: "neutral", 2: "entailment"}
SHAPE: Final = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def save_entailment_model(folder: Path, texts: Iterable[str], labels: Mapping[int, str] = LABELS) -> Path:
    """Write configuration, tokenizer and safetensors of a model with random weights, always the same ones.

    Args:
        folder: An existing folder.
        texts: Texts whose words the tokenizer knows.
        labels: Number → label that the model tells.

    Returns:
        The folder.
    """
    config = BertConfig(
        vocab_size=_save_tokenizer(folder, texts),
        id2label=dict(labels),
        label2id={name: number for number, name in labels.items()},
        **SHAPE,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def _save_tokenizer(folder: Path, texts: Iterable[str]) -> int:
    """Whole words; returns how many."""
    words = dict.fromkeys(
        [*SPECIAL, *" ".join(texts).split(), "This", "page", "is", "about", "that", ",", "."]
    )
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    return len(words)
