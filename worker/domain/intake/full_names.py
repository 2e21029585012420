"""Full names, split into first and last names."""


def split_full_name(full_name: str) -> tuple[str, str]:
    """The first and the last name. "Ludwig van Beethoven" is Ludwig, of the family van Beethoven;
    "Lee, Ann" is Ann Lee; a single word is a last name."""
    last, comma, first = full_name.partition(",")
    if comma and last.strip() and first.strip():
        return first.strip(), last.strip()
    words = full_name.split(maxsplit=1)
    return ("", full_name.strip()) if len(words) < 2 else (words[0], words[1].strip())
