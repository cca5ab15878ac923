"""The shop's product categories and the classes that reviews in each of them can have.

The first two levels carry the names of a Korean shop, in the numbers of the real task: 8 large
categories with 16, 4, 17, 13, 1, 32, 2 and 33 middle ones. Levels three and four are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

WORN, PLACED, SWATCH, DISH, OTHER = range(5)
CLASS_NAMES = ("worn", "placed", "swatch", "dish", "other")
NUM_CLASSES = len(CLASS_NAMES)
SHARES = (0.19, 0.14, 0.008, 0.06, 0.59)
"""Class shares of the real task; used in proportion, since they sum to 0.988."""

LEVEL_THREE, LEVEL_FOUR = 812, 1207
"""Distinct values of category_3 and category_4; all four levels together have 2145."""

FURNITURE, CLOTHES, ACCESSORIES, FOOD, LIVING, BABY, COSMETICS, SPORTS = (
    "가구/인테리어",
    "패션의류",
    "패션잡화",
    "식품",
    "생활/건강",
    "출산/육아",
    "화장품/미용",
    "스포츠/레저",
)

# Each line: large category, classes besides OTHER, middle categories that admit them.
_ADMITTING: tuple[tuple[str, tuple[int, ...], str], ...] = (
    (
        FURNITURE,
        (PLACED,),
        "침실가구 거실가구 주방가구 수납가구 아동/주니어가구 서재/사무용가구 "
        "아웃도어가구 인테리어소품 침구단품 침구세트 카페트/러그 커튼/블라인드 "
        "홈데코",
    ),
    (FURNITURE, (), "DIY자재/용품 솜류 수예"),
    (CLOTHES, (WORN,), "여성의류 남성의류 여성언더웨어/잠옷 남성언더웨어/잠옷"),
    (
        ACCESSORIES,
        (WORN,),
        "여성신발 남성신발 여성가방 남성가방 모자 장갑 양말 선글라스/안경테 "
        "헤어액세서리 패션소품 시계 주얼리 벨트 여행용가방/소품",
    ),
    (ACCESSORIES, (), "지갑 신발용품 순금"),
    (
        FOOD,
        (DISH,),
        "축산물 농산물 수산물 냉동/간편조리식품 반찬 김치 라면/면류 밀키트 "
        "과자/베이커리 소스/드레싱",
    ),
    (FOOD, (), "음료 건강식품 제과제빵재료"),
    (LIVING, (WORN, PLACED), "반려동물"),
    (
        BABY,
        (WORN,),
        "유아동의류 신생아의류 유아동잡화 유아동언더웨어/잠옷 유아수영복 유아한복 "
        "임부복 아기띠 유아동주얼리",
    ),
    (BABY, (PLACED,), "유아가구 유아침구 완구/매트 안전용품 유모차 카시트"),
    (BABY, (SWATCH,), "유아색조화장품 스킨/바디용품"),
    (
        BABY,
        (),
        "기저귀 물티슈 분유 이유식 아기간식 수유용품 이유식용품 목욕용품 "
        "위생/건강용품 구강청결용품 소독/살균용품 임산부용품 출산/돌기념품 인형 "
        "교구",
    ),
    (COSMETICS, (SWATCH,), "색조메이크업 네일케어"),
    (
        SPORTS,
        (WORN,),
        "등산 골프 요가/필라테스 자전거 스키/보드 수영 스킨스쿠버 축구 야구 농구 "
        "배구 배드민턴 테니스 댄스 검도 권투 인라인스케이트 보호용품 "
        "스포츠액세서리 오토바이/스쿠터 발레",
    ),
    (SPORTS, (PLACED,), "헬스 캠핑 당구"),
    (SPORTS, (), "낚시 탁구 스쿼시 족구 볼링 킥보드 수련용품 스케이트보드 기타스포츠용품"),
)

# How often a review of the class (column) is about the large category (row).
_LARGE_WEIGHTS: dict[str, tuple[float, ...]] = {
    #            worn  placed swatch dish  other
    FURNITURE: (0.00, 0.80, 0.00, 0.00, 0.20),
    CLOTHES: (0.47, 0.00, 0.00, 0.00, 0.15),
    ACCESSORIES: (0.32, 0.00, 0.00, 0.00, 0.15),
    FOOD: (0.00, 0.00, 0.00, 1.00, 0.20),
    LIVING: (0.04, 0.05, 0.00, 0.00, 0.04),
    BABY: (0.10, 0.10, 0.10, 0.00, 0.13),
    COSMETICS: (0.00, 0.00, 0.90, 0.00, 0.04),
    SPORTS: (0.07, 0.05, 0.00, 0.00, 0.09),
}

_STYLES = (
    "기본형 고급형 소형 대형 세트 단품 신상 인기 국산 수입 맞춤 휴대용 가정용 "
    "업소용 여름용 겨울용 남녀공용 주니어 리필 선물용 친환경 프리미엄 실속형 "
    "한정판 클래식 모던 빈티지 내추럴 다용도 스페셜"
)


@dataclass(frozen=True)
class MiddleCategory:
    """A category of the second level."""

    large: str
    """Its category of the first level."""
    name: str
    """Its own name; no two are the same."""
    admits: frozenset[int]
    """Classes that its reviews can have; OTHER is always among them."""
    popularity: float
    """Share of the reviews among those that `_ADMITTING` lists together, 0..1."""


@cache
def middle_categories() -> tuple[MiddleCategory, ...]:
    """All 118 middle categories."""
    found: list[MiddleCategory] = []
    for large, classes, names in _ADMITTING:
        listed = names.split()
        weights = 1 / (2 + np.arange(len(listed)))
        for name, weight in zip(listed, weights / weights.sum(), strict=True):
            found.append(MiddleCategory(large, name, frozenset({*classes, OTHER}), float(weight)))
    return tuple(found)


@cache
def category_given_class() -> NDArray[np.float64]:
    """Probability of each middle category given the class; float [5, 118], rows sum to 1."""
    categories = middle_categories()
    table = np.zeros((NUM_CLASSES, len(categories)))
    for column, category in enumerate(categories):
        for label in category.admits:
            weight = _LARGE_WEIGHTS[category.large][label] * category.popularity
            # Only part of a large category's OTHER reviews are about things that admit no more.
            plain = label == OTHER and len(category.admits) == 1
            table[label, column] = weight * (0.45 if plain else 1.0)
    return table / table.sum(axis=1, keepdims=True)


@cache
def fine_categories() -> tuple[tuple[tuple[str, str], ...], ...]:
    """For each middle category its (category_3, category_4) pairs; 812 and 1207 names in all."""
    thirds = _shared_out(LEVEL_THREE, np.array([c.popularity for c in middle_categories()]))
    fourths = iter(_shared_out(LEVEL_FOUR, np.ones(LEVEL_THREE)))
    result = []
    for category, count in zip(middle_categories(), thirds, strict=True):
        pairs: list[tuple[str, str]] = []
        for number in range(count):
            third = f"{_style(number)} {category.name}"
            pairs += [(third, f"{third} {letter}") for letter in "ABCDEF"[: next(fourths)]]
        result.append(tuple(pairs))
    return tuple(result)


def _style(number: int) -> str:
    styles = _STYLES.split()
    again, which = divmod(number, len(styles))
    return styles[which] if again == 0 else f"{styles[which]} {again + 1}"


def _shared_out(total: int, weights: NDArray[np.float64]) -> list[int]:
    """Whole numbers of at least 1 that sum to `total`, roughly in proportion to the weights."""
    exact = 1 + (total - len(weights)) * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts.tolist()
