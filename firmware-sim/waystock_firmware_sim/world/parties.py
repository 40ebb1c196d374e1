"""Suppliers, carriers and customers of the world, the last with the yard where they are supplied.
Upstream: nothing, this is data; downstream: orders, shipments, vehicles and fences.
"""

from dataclasses import dataclass
from typing import Literal

from waystock.contract.masterdata import Party


@dataclass(frozen=True)
class Consignee:
    """A customer at the end of one of the ways in world.roads."""

    way: str
    party: Party

    @property
    def fence(self) -> str:
        """Name of the fence around the customer's yard."""
        return f"yard-{self.party.party}"


def _party(party: str, role: Literal["supplier", "customer", "carrier"], en: str, zh: str) -> Party:
    return Party(party=party, role=role, name={"en": en, "zh": zh})


SUPPLIERS = tuple(
    _party(party, "supplier", en, zh)
    for party, en, zh in (
        ("yongfeng-bearings", "Yongfeng Bearings, Changzhou", "常州永丰轴承"),
        ("haitong-electric", "Haitong Electric, Wenzhou", "温州海通电气"),
        ("qingxi-tea", "Qingxi Tea, Anji", "安吉清溪茶业"),
        ("lanting-household", "Lanting Household, Shaoxing", "绍兴兰亭日化"),
        ("taihu-foods", "Taihu Foods, Huzhou", "湖州太湖食品"),
        ("kunda-electronics", "Kunda Electronics, Kunshan", "昆山坤达电子"),
        ("beilun-plastics", "Beilun Plastics, Ningbo", "宁波北仑塑业"),
        ("jinling-tools", "Jinling Tools, Nanjing", "南京金陵工具"),
    )
)

CARRIERS = tuple(
    _party(party, "carrier", en, zh)
    for party, en, zh in (
        ("jiangnan-freight", "Jiangnan Freight", "江南货运"),
        ("donghai-express", "Donghai Express", "东海快运"),
        ("yunhe-logistics", "Yunhe Logistics", "运河物流"),
    )
)

CONSIGNEES = tuple(
    Consignee(way, _party(party, "customer", en, zh))
    for way, party, en, zh in (
        (
            "sha-nanjing",
            "jiangning-retail",
            "Jiangning Retail Hub, Nanjing",
            "南京江宁零售配送中心",
        ),
        ("sha-qixia", "qixia-auto", "Qixia Auto Parts, Nanjing", "南京栖霞汽配"),
        ("sha-suzhou", "sip-precision", "SIP Precision, Suzhou", "苏州园区精密"),
        ("sha-wuxi", "xinwu-semicon", "Xinwu Semiconductor, Wuxi", "无锡新吴半导体"),
        ("sha-changzhou", "xinbei-solar", "Xinbei Solar, Changzhou", "常州新北光伏"),
        ("sha-zhenjiang", "jingkou-paper", "Jingkou Paper, Zhenjiang", "镇江京口纸业"),
        ("sha-nantong", "chongchuan-textile", "Chongchuan Textile, Nantong", "南通崇川纺织"),
        ("sha-xiaoshan", "xiaoshan-market", "Xiaoshan Wholesale Market", "杭州萧山批发市场"),
        ("sha-beilun", "beilun-port", "Beilun Port Trading, Ningbo", "宁波北仑港贸易"),
        ("sha-jiaxing", "nanhu-stores", "Nanhu Stores, Jiaxing", "嘉兴南湖超市"),
        ("sha-huzhou", "wuxing-silk", "Wuxing Silk, Huzhou", "湖州吴兴丝绸"),
        ("sha-lingang", "lingang-machines", "Lingang Machines, Shanghai", "上海临港装备"),
        ("sha-kunshan", "zhoushi-assembly", "Zhoushi Assembly, Kunshan", "昆山周市组装厂"),
        ("hgh-minhang", "minhang-pharma", "Minhang Pharma, Shanghai", "上海闵行医药"),
        ("hgh-yinzhou", "yinzhou-home", "Yinzhou Home, Ningbo", "宁波鄞州家居"),
        ("hgh-keqiao", "keqiao-fabrics", "Keqiao Fabrics, Shaoxing", "绍兴柯桥面料"),
        ("hgh-changxing", "changxing-battery", "Changxing Battery", "长兴电池"),
        ("hgh-lishui", "lishui-airparts", "Lishui Airparts, Nanjing", "南京溧水航空部件"),
        ("hgh-wujiang", "wujiang-cable", "Wujiang Cable, Suzhou", "苏州吴江线缆"),
        ("hgh-nantong", "haimen-building", "Haimen Building, Nantong", "南通海门建材"),
    )
)
