"""Text and tables on disk: files, sentences, the installed documentation, tokenised corpora, TSV."""
