"""The page: ES modules (js/), styles, the texts of each language (texts/); `regard.looking.shell` makes it whole."""
