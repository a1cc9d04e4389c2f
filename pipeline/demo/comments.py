"""Invented comments, Spanish and English, some holding invented personal data that ingest must redact."""

import numpy as np

COMMENTS = {
    ("es", "good"): (
        "Muy contento con el trato en la tienda", "Todo perfecto, la entrega llegó antes de lo previsto",
        "Me resolvieron la duda en cinco minutos", "Repetiré sin duda; buena relación calidad-precio",
        "El personal es \"de diez\", muy amable", "La web es clara y pagar es muy fácil",
        "Nunca he tenido un problema con la factura", "Gran atención por teléfono, gracias a todo el equipo",
    ),
    ("es", "middling"): (
        "Correcto, sin más", "Bien, aunque la entrega tardó un día más", "La web va algo lenta; el resto bien",
        "Podrían avisar mejor de los plazos", "El precio ha subido, el servicio sigue igual",
        "Me atendieron bien pero tuve que llamar dos veces", "Ni bien ni mal", "Falta variedad en la tienda",
    ),
    ("es", "bad"): (
        "No estoy contento, nadie responde a mis correos", "La entrega llegó tarde y el paquete abierto",
        "Factura incorrecta por segunda vez; sigo esperando", "Demasiado tiempo esperando al teléfono",
        "Tuve que explicar lo mismo a tres personas distintas", "El producto llegó defectuoso y no lo cambian",
        "Muy difícil encontrar dónde reclamar en la web", "Mal servicio.\nNo lo recomiendo a nadie",
    ),
    ("en", "good"): ("Very friendly staff, quick and helpful", "Delivery was earlier than promised, great",
                     "Easy to order and easy to pay", "Problem solved on the first call"),
    ("en", "middling"): ("It was fine, nothing special", "Good shop but the website is slow",
                         "Delivery took longer than promised", "Ok, prices are going up though"),
    ("en", "bad"): ("Not happy at all, nobody answers my emails", "The invoice is wrong again",
                    "I had to call three times; very frustrating", "Parcel arrived late and damaged"),
}
# Invented: reserved domain, unused telephone range, account numbers with check digits that belong to nobody.
PERSONAL = {
    "es": ("Llámenme al 6{n:08d}", "mi correo es cliente{n}@example.com", "mi teléfono: +34 6{a:02d} {b:03d} {c:03d}",
           "la cuenta es {iban}"),
    "en": ("Call me on 6{n:08d}", "my mail is customer{n}@example.com", "phone +34 6{a:02d} {b:03d} {c:03d}",
           "my account is {iban}"),
}
PERSONAL_SHARE = 0.04  # of comments


def draw_comments(tone: np.ndarray, has_comment: np.ndarray, random: np.random.Generator) -> tuple:
    """Text and language of each answer, and whether personal data stand in it (all None / False without comment).

    tone: 0 bad, 1 middling, 2 good, one entry per answer.
    """
    n = len(tone)
    language = np.where(random.random(n) < 0.85, "es", "en").astype(object)
    pick = random.random(n)
    text = np.full(n, None, dtype=object)
    for (spoken, feeling), texts in COMMENTS.items():
        which = has_comment & (language == spoken) & (tone == ("bad", "middling", "good").index(feeling))
        text[which] = np.array(texts, dtype=object)[np.floor(pick[which] * len(texts)).astype(int)]
    personal = has_comment & (random.random(n) < PERSONAL_SHARE)
    kind, number = random.integers(0, 4, n), random.integers(0, 10**8, n)
    for i in np.flatnonzero(personal):
        text[i] = f"{text[i]}. {_personal(PERSONAL[language[i]][kind[i]], int(number[i]))}"
    language[~has_comment] = None
    return text, language, personal


def _personal(pattern: str, n: int) -> str:
    return pattern.format(n=n, a=n % 100, b=n // 100 % 1000, c=n // 100_000, iban=_iban(n))


def _iban(n: int) -> str:
    """A Spanish IBAN whose check digits are right (ISO 13616), of a bank code that is not in use."""
    account = f"9999{n % 10_000:04d}00{n:010d}"
    check = 98 - int(account + "142800") % 97  # E = 14, S = 28, 00 in place of the check digits
    whole = f"ES{check:02d}{account}"
    return " ".join(whole[i:i + 4] for i in range(0, len(whole), 4))
