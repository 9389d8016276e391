"""What the vendor's support has written down, in the languages of its customers."""

from datetime import datetime, timedelta

from domain.enums import Visibility
from models import KnowledgeArticle

ARTICLES = (
    (
        "en",
        "The far end sees a black picture after some minutes",
        "With version 2.5.1 of Orba Bar 2 the encoder may stop while automatic framing moves. Switch automatic framing "
        "off in the room's settings until 2.5.2 is out. The sound is not affected.",
    ),
    (
        "it",
        "L'altra parte vede un'immagine nera dopo qualche minuto",
        "Con la versione 2.5.1 di Orba Bar 2 l'encoder può fermarsi mentre l'inquadratura automatica si sposta. "
        "Disattivate l'inquadratura automatica finché non è disponibile la 2.5.2.",
    ),
    (
        "fr",
        "L'image devient noire après quelques minutes",
        "Avec la version 2.5.1 d'Orba Bar 2, l'encodeur peut s'arrêter pendant le cadrage automatique. Désactivez le "
        "cadrage automatique en attendant la 2.5.2. Le cœur du problème est connu.",
    ),
    (
        "pt",
        "A imagem fica preta após alguns minutos",
        "Com a versão 2.5.1 da Orba Bar 2 o codificador pode parar durante o enquadramento automático. Desligue o "
        "enquadramento automático até à versão 2.5.2. O som não é afetado.",
    ),
    (
        "ru",
        "Через несколько минут изображение становится чёрным",
        "В версии 2.5.1 устройства Orba Bar 2 кодировщик может остановиться во время автокадрирования. Отключите "
        "автокадрирование до выхода 2.5.2. На звук это не влияет.",
    ),
    (
        "en",
        "Pairing a panel with a room again",
        "Hold the power button of Orba Panel 10 for ten seconds, choose Pair, and enter the code that the room shows.",
    ),
)

INTERNAL = (
    "en",
    "Defect 2.5.1: encoder restarts while framing moves",
    "Known to engineering. Ask for the log of the bar before escalating, and link the ticket to the others.",
)


async def add_articles(now: datetime) -> None:
    """The newest last; the internal one is for support alone."""
    written = [(*each, Visibility.PUBLIC) for each in ARTICLES] + [(*INTERNAL, Visibility.INTERNAL)]
    for age, (locale, title, body, visibility) in enumerate(reversed(written)):
        at = now - timedelta(days=5 + 6 * age)
        await KnowledgeArticle.create(
            locale=locale, title=title, body=body, visibility=visibility, created_at=at, updated_at=at
        )
