"""Words that stand where a customer's id should and name nobody: told before they become pseudonyms."""

from pipeline.ingest import engine

NOBODY = (  # in lower case and one Unicode form, as engine.normal_id writes an id
    "anonymous", "anonymous user", "anon", "anónimo", "anónima", "anonimo", "anonima", "usuario anónimo", "guest",
    "guest user", "guest customer", "invitado", "invitada", "cliente invitado", "walk-in", "walk in", "walkin",
    "walk-in customer", "cash customer", "contado", "cliente contado", "cliente de contado", "cliente al contado",
    "cliente mostrador", "mostrador", "consumidor final", "cliente final", "clientes varios", "cliente varios",
    "cliente genérico", "cliente generico", "público general", "publico general", "público en general",
    "publico en general", "sin cliente", "sin identificar", "no identificado", "no customer", "unknown", "desconocido",
    "desconocida", "n/a", "n.a.", "#n/a", "#n/d", "none", "null", "nan", "ninguno", "test", "prueba",
    "test@test.com", "guest@guest.com", "noemail@noemail.com")


def names_nobody(x: str) -> str:
    """Whether an id is one of these words, whatever its case and the blanks around it; false for a null."""
    return f"coalesce({engine.normal_id(x)} IN ({', '.join(map(engine.literal, NOBODY))}), FALSE)"
