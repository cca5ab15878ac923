"""Image features and product category to logits.

B batch, S input size in pixels, F image features, L category levels, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


class Classifier(nn.Module):
    """Pooled image features beside one-hot categories, then a two-layer perceptron."""

    def __init__(self, backbone: nn.Module, head: CategoryHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: torch.Tensor, category_ids: torch.Tensor) -> torch.Tensor:
        """Logits of a batch.

        Args:
            images: Normalised pixels, float [B, 3, S, S].
            category_ids: Ids of the product categories, int [B, L]; 0 is "unknown".

        Returns:
            Logits, float [B, K].
        """
        return self.head(self.backbone(images), category_ids)


class CategoryHead(nn.Module):
    """Features [B, F] and category ids [B, L] → logits [B, K]."""

    def __init__(
        self,
        num_features: int,
        category_sizes: Sequence[int],
        *,
        hidden_size: int,
        num_classes: int,
        drop_rate: float,
    ) -> None:
        super().__init__()
        self.category_sizes = tuple(category_sizes)
        self.hidden = nn.Linear(num_features + sum(category_sizes), hidden_size)
        self.dropout = nn.Dropout(drop_rate)
        self.logits = nn.Linear(hidden_size, num_classes)

    def forward(self, features: torch.Tensor, category_ids: torch.Tensor) -> torch.Tensor:
        """[B, F], int [B, L] → [B, K]."""
        hot = [
            functional.one_hot(category_ids[:, level], size).to(features.dtype)
            for level, size in enumerate(self.category_sizes)
        ]
        joined = torch.cat([features, *hot], dim=1)  # [B, F + sum of sizes]
        return self.logits(self.dropout(torch.relu(self.hidden(joined))))
