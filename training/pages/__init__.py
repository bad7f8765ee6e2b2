"""Parts of pages that both the console and the downloadable reports show."""
