"""Sentences to vectors: the network behind the embedding rung. Loading this module loads PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, BatchEncoding
from transformers.utils import logging

from core.base.errors import ResourceError
from core.base.workers import workers

_BATCH: Final = 64
_MAX_TOKENS: Final = 256
"""Tokens of a text that all-MiniLM-L6-v2 reads, as in its training; the rest is cut."""
_MAX_CHARACTERS: Final = 4_000
"""Characters of a text that are tokenised; splitting a text of megabytes would cost seconds for nothing."""


class SentenceEncoder:
    """A BERT-like encoder with mean pooling, as in sentence-transformers.

    Args:
        folder: Configuration, tokenizer and safetensors; nothing is downloaded, no code in it is run.

    Raises:
        ResourceError: If the folder's files cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        logging.disable_progress_bar()  # type: ignore[no-untyped-call] # of transformers
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            self._network = AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
            ).eval()
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ResourceError(f"The sentence embedding in {folder} cannot be loaded: {error}") from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed each text; equal texts are embedded once.

        Args:
            texts: Of any length; the first :data:`_MAX_TOKENS` tokens of each are read.

        Returns:
            (n, d), rows of length 1.
        """
        unique = sorted(dict.fromkeys(texts), key=len)  # texts of similar length need little padding
        rows = {text: row for row, text in enumerate(unique)}
        batches = [unique[start : start + _BATCH] for start in range(0, len(unique), _BATCH)]
        with workers(torch.device("cpu")) as do:
            # the tokenizer is not made for threads; the network is
            parts = list(do(self._forward, [self._tokenise(batch) for batch in batches]))
        if not parts:
            return np.empty((0, self._network.config.hidden_size), np.float32)
        return np.concatenate(parts)[[rows[text] for text in texts]]

    def _tokenise(self, texts: list[str]) -> BatchEncoding:
        cut = [text[:_MAX_CHARACTERS] for text in texts]
        tokens: BatchEncoding = self._tokenizer(
            cut, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt"
        )
        return tokens

    @torch.inference_mode()
    def _forward(self, tokens: BatchEncoding) -> NDArray[np.float32]:
        states: Tensor = self._network(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        pooled = (states * mask).sum(1) / mask.sum(1)
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return vectors
