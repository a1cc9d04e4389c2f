"""Personal data in free text, blacked out: what it was stays readable, whose it was does not."""

import re

# Every repetition has an end, so that one word of a megabyte costs no more than a megabyte of words.
E_MAIL = re.compile(r"[\w.+%'-]{1,128}\s?@\s?[\w-]+(?:\.[\w-]+)+")
LINK = re.compile(r"(?i)\b(?:https?://|www\.)\S+|\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}"
                  r"\.(?:com|es|net|org|eu|io|info|cat)\b(?:/\S*)?")
HANDLE = re.compile(r"(?<![\w@])@\w[\w.]{1,29}")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?\b", re.IGNORECASE)
CARD = re.compile(r"(?<![\d])(?:\d[ -]?){12,18}\d(?![\d])")
IDENTITY = re.compile(r"\b(?:[XYZ][ -]?\d{7}|\d{8}|\d{2}\.\d{3}\.\d{3})[ -]?[A-Z]\b", re.IGNORECASE)
PHONE = re.compile(r"(?<![\w.,/-])(?:(?:\+|00)\d{1,3}[ .\u00a0-]?(?:\(\d{1,4}\)[ .\u00a0-]?)?(?:\d[ .\u00a0-]?){6,12}\d"
                   r"|[6789]\d{2}(?:[ .\u00a0-]?\d{3}){2}|[6789]\d{2}(?:[ .\u00a0-]?\d{2}){3}"
                   r"|[89]\d[ .\u00a0-]?\d{3}(?:[ .\u00a0-]?\d{2}){2}"
                   r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|\d{10,11})(?![\w]|[.,]\d)")
CAPITAL = r"[A-ZÁÉÍÓÚÜÑÇÀÈÒ][\w'’áéíóúüñçàèò-]{1,60}"
TOLD = re.compile(rf"\b((?i:me llamo|mi nombre es|my name is))(\s+)[^\W\d]+(?:\s+(?:de |del |la )*{CAPITAL})*")
NAME = re.compile(rf"\b((?i:soy|i am|i'm|i’m|this is|firmado:?|atentamente,?|un saludo,?|"
                  rf"saludos,?|regards,?|sincerely,?))(\s+)((?:(?:Sr|Sra|Don|Doña|Mr|Mrs|Ms|Dr|Dra)\.?\s+)?{CAPITAL}"
                  rf"(?:\s+(?:(?:de|del|de la|la|y)\s+)?{CAPITAL}){{0,3}})")
FULL_NAME = re.compile(rf"{CAPITAL}(?: (?:(?:de|del|de la|la|y) )?{CAPITAL})+")
LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"  # control letter of the Spanish identity number, by its remainder modulo 23


def redact(text: str) -> str:
    """The text with e-mail, links, accounts, cards, identity numbers, phones, handles and given names replaced."""
    text = E_MAIL.sub("[e-mail]", text)
    text = LINK.sub("[link]", text)
    text = IBAN.sub(lambda m: "[iban]" if is_iban(m[0]) else m[0], text)
    text = CARD.sub(lambda m: "[card]" if is_card(m[0]) else m[0], text)
    text = IDENTITY.sub(lambda m: "[identity]" if is_identity(m[0]) else m[0], text)
    text = PHONE.sub("[phone]", text)
    text = HANDLE.sub("[handle]", text)
    return NAME.sub(r"\1\2[name]", TOLD.sub(r"\1\2[name]", text))


def shown(text: str) -> str:
    """A value of a cell as a message may show it: mail, phone and the like blacked out, of names the initials."""
    text = redact(text)
    return FULL_NAME.sub(lambda m: " ".join(word[0] + "…" for word in m[0].split()), text)


def is_data(text: str) -> bool:
    """Whether what stands in a header is a value and no name: five digits and no letter, or something personal."""
    bare = text.strip()
    return redact(bare) != bare or (not any(map(str.isalpha, bare)) and sum(map(str.isdigit, bare)) > 4)


def is_iban(text: str) -> bool:
    """ISO 13616: the letters as numbers, first four characters last, remainder 1 modulo 97."""
    bare = re.sub(r"[ -]", "", text).upper()
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """Luhn's check over 13 to 19 digits."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_identity(text: str) -> bool:
    """Spanish DNI or NIE: its letter is that of the number modulo 23."""
    bare = re.sub(r"[ .-]", "", text).upper()
    number = bare[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and bare[-1] == LETTERS[int(number) % 23]
