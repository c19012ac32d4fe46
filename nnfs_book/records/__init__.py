"""Records: what the sources report, and what the book has measured."""
