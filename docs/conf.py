"""The course as a site: `python -m sphinx -W docs site`. It is built from the pages as they are, without a network.

Formulas become MathML, which browsers draw by themselves. A link to a file of the repository, which GitHub follows to
that file, leads to a page with its text.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace
from sphinx.highlighting import PygmentsBridge

ROOT = Path(__file__).parents[1]
FILE = "repository"  # in front of the path of a linked file, while Sphinx reads the pages
LINK = re.compile(r"\]\(\.\./([\w./-]+?)/?(#[\w-]*)?\)")
IMAGE = re.compile(r"!\[.*?\]\(", re.DOTALL)  # up to its file: the parser drops the ends of lines in between
DATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)  # of a figure, for programs
PLAIN = (Name, Punctuation, Whitespace)
PAGE = re.compile(r"\]\(([\w-]+)\.md\)")

project, author, root_doc = "minitransformer", "The minitransformer developers", "README"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["figures"]
highlight_language = "none"  # of code without a language: drawings, and lines for a shell
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
myst_url_schemes = ["http", "https", "mailto", FILE]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
html_theme = "furo"
html_title = "minitransformer"
html_static_path = ["_static"]
html_sidebars = {"files/**": ["sidebar/brand.html", "sidebar/search.html"]}  # without the list of all pages
html_css_files, html_js_files = ["site.css"], ["site.js"]
html_math_renderer = "mathml"
html_show_sourcelink = html_show_sphinx = html_copy_source = False


class PlainFormatter(HtmlFormatter):
    """Code without marks for what has the colour of the text anyway: the site would be a quarter larger with them."""

    def format(self, tokens, file):
        super().format(((Text if kind in PLAIN else kind, text) for kind, text in tokens), file)


def setup(app):
    PygmentsBridge.html_formatter = PlainFormatter
    app.add_html_math_renderer("mathml", (inline_formula, None), (formula, None))
    app.connect("source-read", read_page)
    app.connect("doctree-resolved", resolve_files)
    app.connect("doctree-resolved", draw_figures)
    app.connect("autodoc-process-docstring", show_as_written)
    app.connect("html-collect-pages", file_pages)
    app.connect("build-finished", write_index)


def inline_formula(translator, node):
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def formula(translator, node):
    translator.body.append(f'<div class="formula" tabindex="0">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def read_page(app, name, text):
    """Mark links to files, join the lines of what images say, and let the first page list the others in their order."""
    text[0] = IMAGE.sub(lambda found: found[0].replace("\n", " "), text[0])
    text[0] = LINK.sub(rf"]({FILE}:\1)", text[0])
    if name == root_doc:
        pages = [page for page in dict.fromkeys(PAGE.findall(text[0])) if page != root_doc]
        text[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def resolve_files(app, tree, name):
    """Links to files, now to their pages."""
    for reference in tree.findall(nodes.reference):
        scheme, _, path = reference.get("refuri", "").partition(":")
        if scheme == FILE:
            linked_files(app).add(path)
            reference["refuri"] = app.builder.get_relative_uri(name, page_of(path))


def draw_figures(app, tree, name):
    """Figures as parts of their page, so that their words have its colour; it says of them what the Markdown says."""
    for image in [*tree.findall(nodes.image)]:
        if image["uri"].endswith(".svg"):
            text = DATA.sub("", (ROOT / "docs" / image["uri"]).read_text(encoding="utf-8"))
            named = text.replace("<svg", f'<svg aria-label="{escape(image["alt"])}"', 1)
            image.replace_self(nodes.raw("", named, format="html"))


def linked_files(app):
    if not hasattr(app, "files_linked_to"):
        app.files_linked_to = set()
    return app.files_linked_to


def page_of(path):
    return f"files/{path}"


def file_pages(app):
    """A page for each file that is linked to, and for each folder with a list of its files."""
    highlight = PygmentsBridge("html", app.config.pygments_style or "default")
    for path in sorted(linked_files(app)):
        file = ROOT / path
        if file.is_dir():
            body = f"<pre>{chr(10).join(sorted(entry.name for entry in file.iterdir() if entry.is_file()))}</pre>"
        else:
            language = {".py": "python", ".md": "markdown"}.get(file.suffix, "none")
            body = highlight.highlight_block(file.read_text(encoding="utf-8"), language)
        yield page_of(path), {"title": path, "body": f"<h1>{path}</h1>{body}"}, "page.html"


def show_as_written(app, what, name, thing, options, lines):
    """Docstrings are plain text with formulas, laid out by hand."""
    lines[:] = ["::", "", *(f"    {line}" for line in lines), ""] if lines else lines


def write_index(app, error):
    if error is None and app.builder.format == "html":
        text = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={root_doc}.html">'
        Path(app.outdir, "index.html").write_text(f'{text}<a href="{root_doc}.html">minitransformer</a>\n')
