"""Arrays and words in; a table, an SVG drawing or one HTML page that needs nothing else out."""
