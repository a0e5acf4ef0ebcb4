package io.github.eft4j.html;

import java.util.stream.Collectors;

/** What all pages have in common: the head, the colours in light and dark, and escaping. */
final class HtmlPage {
  /** Comes before the title, which is escaped; then {@link #STYLE}. */
  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\
      """;

  private static final String STYLE =
      """
      </title>
      <style>
      :root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --text: #1d2433;
        --quiet: #5b6475; --line: #d5dae3; --node: #eef2f8; --accent: #2457c5;
        --strong: #177245; --weak: #8a6100; --against: #b3261e; }
      @media (prefers-color-scheme: dark) {
        :root { --page: #12151b; --card: #1b2029; --text: #e6e9ef; --quiet: #9aa4b5;
          --line: #343c4a; --node: #252c38; --accent: #7aa5ff;
          --strong: #5ccf96; --weak: #e0b04a; --against: #ff8a80; } }
      body { margin: 0; padding: 24px; background: var(--page); color: var(--text);
        font: 15px/1.5 system-ui, sans-serif; }
      h1 { font-size: 20px; margin: 0 0 4px; }
      h2 { font-size: 16px; margin: 0; }
      """;

  private HtmlPage() {}

  /**
   * Begins a page.
   *
   * @param title the title, plain text
   * @param style the page's own CSS
   * @return the page up to the beginning of its body
   */
  static StringBuilder begin(String title, String style) {
    return new StringBuilder(HEAD)
        .append(escape(title))
        .append(STYLE)
        .append(style)
        .append("</style>\n</head>\n<body>\n");
  }

  /** Ends a page. */
  static String end(StringBuilder page) {
    return page.append("</body>\n</html>\n").toString();
  }

  /** Plain text as the text of an element, or an attribute between any quotes. */
  static String escape(String text) {
    return text.codePoints()
        .mapToObj(
            c ->
                switch (c) {
                  case '&' -> "&amp;";
                  case '<' -> "&lt;";
                  case '>' -> "&gt;";
                  case '"' -> "&quot;";
                  case '\'' -> "&#39;";
                  default -> isText(c) ? Character.toString(c) : "\uFFFD";
                })
        .collect(Collectors.joining());
  }

  private static boolean isText(int c) {
    return Character.isWhitespace(c)
        || !(Character.isISOControl(c)
            || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
  }
}
