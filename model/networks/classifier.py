"""Image features and product category to logits.

B batch, S input size in pixels, F image features, L category levels, C numbers that describe a
category, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from model.vocabulary import UNKNOWN_CATEGORY


class Classifier(nn.Module):
    """Pooled image features beside the categories, then a two-layer perceptron."""

    def __init__(self, backbone: nn.Module, head: CategoryHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(
        self,
        images: torch.Tensor,
        category_ids: torch.Tensor,
        partner_ids: torch.Tensor | None = None,
        share: float | torch.Tensor = 1.0,
    ) -> torch.Tensor:
        """Logits of a batch.

        Args:
            images: Normalised pixels, float [B, 3, S, S].
            category_ids: Ids of the product categories, int [B, L]; 0 is "unknown".
            partner_ids: Where pairs of pictures are blended, ids of the other one's categories,
                int [B, L].
            share: Part of the first picture in the blend, 0..1: one number, or float [B].

        Returns:
            Logits, float [B, K].
        """
        return self.head(self.backbone(images), category_ids, partner_ids, share)


class CategoryHead(nn.Module):
    """Features [B, F] and category ids [B, L] → logits [B, K].

    The perceptron sees the features, followed by one block of numbers per category level: a one-hot
    or a learned vector. In a blend of two pictures it sees the same blend of their categories.
    """

    def __init__(
        self,
        num_features: int,
        category_sizes: Sequence[int],
        *,
        hidden_size: int,
        num_classes: int,
        drop_rate: float,
        embedding_size: int | None = None,
    ) -> None:
        """Random weights.

        Args:
            num_features: F.
            category_sizes: Ids of each category level, "unknown" included.
            hidden_size: Units of the hidden layer.
            num_classes: K.
            drop_rate: Dropout before the logits, 0..1.
            embedding_size: Length of the learned vector of a category, per level; None is one-hot.
        """
        super().__init__()
        self.category_sizes = tuple(category_sizes)
        widths = [embedding_size or size for size in self.category_sizes]
        self.hidden = nn.Linear(num_features + sum(widths), hidden_size)
        self.dropout = nn.Dropout(drop_rate)
        self.logits = nn.Linear(hidden_size, num_classes)
        self.embeddings = nn.ModuleList(
            _embedding(size, embedding_size) for size in self.category_sizes if embedding_size
        )

    def forward(
        self,
        features: torch.Tensor,
        category_ids: torch.Tensor,
        partner_ids: torch.Tensor | None = None,
        share: float | torch.Tensor = 1.0,
    ) -> torch.Tensor:
        """[B, F], int [B, L] → [B, K]; the other two as in `Classifier.forward`."""
        categories = self.describe(category_ids)
        if partner_ids is not None:
            part = share[:, None] if isinstance(share, torch.Tensor) else share
            categories = part * categories + (1 - part) * self.describe(partner_ids)
        joined = torch.cat([features, categories.to(features.dtype)], dim=1)  # [B, F + C]
        return self.logits(self.dropout(torch.relu(self.hidden(joined))))

    def describe(self, category_ids: torch.Tensor) -> torch.Tensor:
        """Categories as the perceptron sees them: int [B, L] → float32 [B, C]."""
        levels = category_ids.unbind(dim=1)
        if self.embeddings:
            blocks = [table(ids) for table, ids in zip(self.embeddings, levels, strict=True)]
        else:
            blocks = [
                functional.one_hot(ids, size).float()
                for ids, size in zip(levels, self.category_sizes, strict=True)
            ]
        return torch.cat(blocks, dim=1) if blocks else category_ids.float()


def _embedding(size: int, length: int) -> nn.Embedding:
    """Vectors of one level; an unknown category says nothing until training shows it one."""
    table = nn.Embedding(size, length)
    with torch.no_grad():
        table.weight[UNKNOWN_CATEGORY].zero_()
    return table
