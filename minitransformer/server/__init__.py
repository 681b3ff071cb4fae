"""An index over HTTP, and a page to search it with. It needs the extra `serve`."""
