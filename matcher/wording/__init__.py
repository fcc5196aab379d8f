"""What people read of the answers: message templates in one place, said by a `matcher.i18n.Translator`."""
