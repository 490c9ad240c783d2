"""The citizens of the demonstration: invented names and phone numbers, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tanpuhui.interfaces.commands.demonstration.cast import Cast

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
_GIVEN = ["子涵", "雨桐", "欣怡", "浩然", "梓萱", "俊杰", "诗涵", "志强", "桂英", "秀兰", "建国", "丽华", "伟", "芳", "敏", "静", "磊", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英", "霞", "平", "刚", "桂兰", "晓东", "海燕", "文博", "思源", "佳宁", "一凡", "若曦", "承泽", "书瑶", "永福"]  # fmt: skip
FIRST_PHONE = 19_900_000_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """One invented person. `subject` is how every data partner of the demonstration knows them."""

    number: int
    phone: str
    name: str
    area: str
    subject: str


def invent_citizens(cast: Cast) -> tuple[Citizen, ...]:
    """Return the citizens, spread over the areas by their shares; the first lives in the first area."""
    chance = random.Random(cast.seed)  # noqa: S311  made-up people need no secret
    areas, shares = tuple(cast.citizens_by_area), tuple(cast.citizens_by_area.values())
    chosen = [areas[0], *chance.choices(areas, weights=shares, k=cast.citizens - 1)]
    return tuple(
        Citizen(
            number=number,
            phone=str(FIRST_PHONE + number),
            name=chance.choice(_SURNAMES) + chance.choice(_GIVEN),
            area=area,
            subject=f"card-{number + 1:07d}",
        )
        for number, area in enumerate(chosen)
    )
