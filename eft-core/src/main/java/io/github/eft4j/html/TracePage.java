package io.github.eft4j.html;

import static io.github.eft4j.html.HtmlPage.escape;

import io.github.eft4j.Completion;
import io.github.eft4j.CompletionTrace;
import io.github.eft4j.SpeculationStatistics;
import io.github.eft4j.TokenTrace;
import io.github.eft4j.TracedToken;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.IntFunction;

/**
 * Draws the {@linkplain Completion#trace trace} of a completion as a web page: the text with each
 * token coloured by how far the combination moved it away from one model, whichever the reader
 * picks; the candidates and every model's log-probabilities behind each token; and along the text
 * how far the distributions are apart and which drafted tokens were accepted. The page needs
 * nothing beside itself, can be used with a pointer or the keyboard, and follows the reader's
 * choice of light or dark.
 */
public final class TracePage {
  /** The shift, in nats, that has the full colour: the factor 20. */
  private static final double FULL_SHIFT = Math.log(20);

  /** How many tokens the line of acceptance averages over. */
  private static final int ACCEPTANCE_WINDOW = 16;

  private static final int CHART_HEIGHT = 100;

  private static final String STYLE =
      """
      :root { --up: #3b7ddd; --down: #e08a1e; --panel: 440px; }
      @media (prefers-color-scheme: dark) { :root { --up: #4f8ff0; --down: #d9822b; } }
      main { max-width: 900px; }
      @media (min-width: 1000px) { main { margin: 0 calc(var(--panel) + 24px) 0 auto; } }
      @media (max-width: 999px) { body { padding-bottom: 60vh; } }
      h1 { overflow-wrap: anywhere; }
      h2 { margin: 24px 0 6px; }
      .facts, .hint, figcaption { color: var(--quiet); margin: 0 0 14px; }
      figcaption, .legend { font-size: 13px; }
      fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 14px;
        padding: 4px 12px 8px; display: flex; flex-wrap: wrap; gap: 2px 18px; }
      legend { color: var(--quiet); font-size: 13px; padding: 0 4px; }
      .legend { display: flex; flex-wrap: wrap; gap: 4px 22px; color: var(--quiet);
        margin: 0 0 14px; align-items: center; }
      .scale { display: inline-block; width: 140px; height: 12px; border-radius: 3px;
        vertical-align: -1px; margin: 0 6px; background: linear-gradient(to right,
        color-mix(in srgb, var(--down) 62%, var(--card)), var(--card),
        color-mix(in srgb, var(--up) 62%, var(--card))); border: 1px solid var(--line); }
      .text { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
        padding: 16px; font-size: 17px; line-height: 2; white-space: pre-wrap;
        overflow-wrap: anywhere; }
      .prompt { color: var(--quiet); }
      .token { display: inline; cursor: default; border-radius: 3px; padding: 2px 0;
        border-bottom: 3px solid transparent;
        background: color-mix(in srgb, var(--up) calc(max(var(--s), 0) * 62%),
          color-mix(in srgb, var(--down) calc(max(-1 * var(--s), 0) * 62%), transparent)); }
      .accepted { border-bottom: 3px solid var(--strong); }
      .refused { border-bottom: 3px dotted var(--against); }
      .legend .token { padding: 2px 4px; --s: 0; color: var(--text); }
      .token:hover, .token:focus { outline: 2px solid var(--accent); outline-offset: 1px; }
      .mark { color: var(--quiet); font: 12px ui-monospace, monospace; }
      .special { border: 1px solid var(--line); border-radius: 4px; padding: 0 3px; margin: 0 2px; }
      .panel, .card { position: fixed; box-sizing: border-box; background: var(--card);
        border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; overflow: auto;
        font-size: 13px; line-height: 1.45; white-space: normal; cursor: auto; }
      .card { display: none; box-shadow: 0 4px 18px rgb(0 0 0 / 25%); }
      .panel { color: var(--quiet); }
      @media (min-width: 1000px) { .panel, .card { top: 24px; right: 24px; width: var(--panel);
        max-height: calc(100vh - 48px); } }
      @media (max-width: 999px) { .panel { display: none; }
        .card { left: 8px; right: 8px; bottom: 8px; max-height: 55vh; } }
      .token:focus .card { display: block; z-index: 1; }
      .token:hover .card { display: block; z-index: 2; }
      .card h3 { font-size: 15px; margin: 0 0 2px; overflow-wrap: anywhere; }
      .card p { margin: 0 0 8px; color: var(--quiet); }
      .card q, .card bdi { white-space: pre-wrap; }
      table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
      td { white-space: nowrap; }
      th, td { text-align: right; padding: 3px 0 3px 10px; font-weight: normal;
        vertical-align: top; }
      tbody th, th:first-child { text-align: left; padding-left: 0; overflow-wrap: anywhere; }
      thead th { color: var(--quiet); border-bottom: 1px solid var(--line);
        overflow-wrap: break-word; vertical-align: bottom; }
      tbody tr.chosen th, tbody tr.chosen td { font-weight: 600; }
      tfoot th, tfoot td { color: var(--quiet); }
      tfoot tr:first-child th, tfoot tr:first-child td { border-top: 1px solid var(--line); }
      td small { display: block; color: var(--quiet); font-weight: normal; }
      figure { margin: 0; }
      .chart { display: grid; grid-template-columns: auto 1fr; gap: 0 8px; }
      .axis { display: flex; flex-direction: column; justify-content: space-between;
        color: var(--quiet); font-size: 12px; line-height: 1; text-align: right; }
      svg { width: 100%; height: 110px; display: block; background: var(--card);
        border: 1px solid var(--line); border-radius: 6px; box-sizing: border-box; }
      svg .variation { fill: var(--up); opacity: .55; transform: scaleY(var(--v));
        transform-box: fill-box; transform-origin: bottom; }
      svg .acceptance { fill: none; stroke: var(--strong); stroke-width: 2;
        vector-effect: non-scaling-stroke; }
      svg .drafts { height: 8px; }
      .drafts { height: 12px; margin-top: 4px; }
      .drafts .accepted { fill: var(--strong); } .drafts .refused { fill: var(--against); }
      .key { display: inline-block; width: 14px; height: 10px; margin-right: 5px; }
      """;

  /** Moves between tokens with the arrow keys; without it each token is a tab stop. */
  private static final String SCRIPT =
      """
      <script>
      (() => {
        const tokens = [...document.querySelectorAll('.text .token')];
        tokens.forEach((token, i) => { token.tabIndex = i ? -1 : 0; });
        const go = (from, to) => {
          const next = tokens[Math.max(0, Math.min(tokens.length - 1, to))];
          tokens.forEach(token => { token.tabIndex = -1; });
          next.tabIndex = 0;
          next.focus();
        };
        document.addEventListener('keydown', event => {
          const at = tokens.indexOf(document.activeElement);
          if (at < 0) return;
          const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tokens.length - 1 };
          if (event.key === 'Escape') tokens[at].blur();
          if (event.key in to) { event.preventDefault(); go(at, to[event.key]); }
        });
      })();
      </script>
      """;

  private final CompletionTrace trace;
  private final List<String> models;
  private final int from;
  private final IntFunction<String> spelling;
  private final StringBuilder page;

  private TracePage(
      CompletionTrace trace, int from, IntFunction<String> spelling, StringBuilder page) {
    this.trace = trace;
    this.models = labels(trace.models());
    this.from = Objects.checkIndex(from, models.size());
    this.spelling = spelling;
    this.page = page;
  }

  /**
   * Draws a completion that was traced.
   *
   * @param title what was sampled, such as the text of the combination
   * @param prompt what the completion continues, as text
   * @param completion the completion
   * @param from the index in {@link CompletionTrace#models} of the model that shifts are counted
   *     from until the reader picks another one, such as the one that drafts
   * @param spelling how to write a token that has no text of its own, by its id, such as {@code
   *     </s>}
   * @return an HTML document
   * @throws IllegalArgumentException if the completion was not traced
   * @throws IndexOutOfBoundsException if there is no model {@code from}
   */
  public static String html(
      String title, String prompt, Completion completion, int from, IntFunction<String> spelling) {
    CompletionTrace trace =
        completion
            .trace()
            .orElseThrow(() -> new IllegalArgumentException("the completion was not traced"));
    StringBuilder style = new StringBuilder(STYLE);
    for (int i = 0; i < trace.models().size(); i++) {
      style.append(
          "body:has(#from%d:checked) .text .token { --s: var(--s%d); }\n".formatted(i, i)
              + "body:has(#from%d:checked) .variation { --v: var(--v%d); }\n".formatted(i, i));
    }
    StringBuilder page = HtmlPage.begin("Trace of " + title, style.toString());
    new TracePage(trace, from, spelling, page).body(title, prompt, completion);
    return HtmlPage.end(page);
  }

  /** The models' names, told apart where two are the same. */
  private static List<String> labels(List<String> names) {
    List<String> labels = new ArrayList<>();
    for (String name : names) {
      int before = Collections.frequency(names.subList(0, labels.size()), name);
      labels.add(before == 0 ? name : "%s (%d)".formatted(name, before + 1));
    }
    return labels;
  }

  private void body(String title, String prompt, Completion completion) {
    page.append("<main>\n<h1>").append(escape(title)).append("</h1>\n<p class=\"facts\">");
    page.append(facts(completion)).append("</p>\n");
    picker();
    legend();
    page.append("<div class=\"text\" dir=\"auto\"><span class=\"prompt\">")
        .append(escape(prompt))
        .append("</span>");
    for (int i = 0; i < trace.tokens().size(); i++) {
      token(i, trace.tokens().get(i));
    }
    page.append("</div>\n");
    if (!trace.tokens().isEmpty()) {
      chart();
    }
    page.append("</main>\n<aside class=\"panel\">Point at a token, or reach the text with Tab and")
        .append(" go along it with the arrow keys: here stands what each model made of it.")
        .append("</aside>\n")
        .append(SCRIPT);
  }

  private static String facts(Completion completion) {
    SpeculationStatistics drafts = completion.speculation();
    String ended = completion.finishReason().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    String facts =
        "%d tokens, ended by: %s, log-probability %s, seed %d"
            .formatted(
                completion.tokenIds().size(),
                ended,
                number(completion.logProbability()),
                completion.seed());
    return drafts.checked() == 0
        ? facts
        : facts
            + ", %d of %d drafted tokens accepted (%s)"
                .formatted(drafts.accepted(), drafts.checked(), percent(drafts.acceptance()));
  }

  private void picker() {
    page.append("<fieldset><legend>How far each token was moved away from</legend>\n");
    for (int i = 0; i < models.size(); i++) {
      boolean drafts = trace.drafter().isPresent() && trace.drafter().getAsInt() == i;
      page.append(
          "<label><input type=\"radio\" name=\"from\" id=\"from%d\"%s> %s%s</label>\n"
              .formatted(
                  i,
                  i == from ? " checked" : "",
                  escape(models.get(i)),
                  drafts ? " (drafts)" : ""));
    }
    page.append("</fieldset>\n");
  }

  private void legend() {
    page.append("<div class=\"legend\"><span>20 times less likely<span class=\"scale\"></span>")
        .append("20 times likelier than by that model</span>");
    if (trace.drafter().isPresent()) {
      page.append("<span><span class=\"token accepted\">drafted and accepted</span></span>")
          .append("<span><span class=\"token refused\">another one was drafted</span></span>");
    }
    page.append("</div>\n");
  }

  private static String state(TokenTrace token) {
    if (token.drafted().isEmpty()) {
      return "";
    }
    return token.accepted() ? "accepted" : "refused";
  }

  private void token(int index, TokenTrace token) {
    page.append("<div class=\"token %s\" tabindex=\"0\" style=\"".formatted(state(token)));
    for (int i = 0; i < models.size(); i++) {
      double shift = token.token().shift(i) / FULL_SHIFT;
      page.append("--s%d:%s;".formatted(i, plain(Double.isNaN(shift) ? 0 : clamp(shift))));
    }
    page.append("\" aria-describedby=\"card%d\">".formatted(index));
    page.append(visible(token.token()));
    card(index, token);
    page.append("</div>");
  }

  private static double clamp(double shift) {
    return Math.clamp(shift, -1, 1);
  }

  /** A token's text in the flow: line breaks have a mark, a token without text its spelling. */
  private String visible(TracedToken token) {
    if (token.text().isEmpty()) {
      return "<span class=\"mark special\">" + escape(spelling.apply(token.id())) + "</span>";
    }
    return escape(token.text()).replace("\n", "<span class=\"mark\">↵</span>\n");
  }

  /** A token's text in a table, with its spaces to be seen. */
  private String named(TracedToken token) {
    return token.text().isEmpty()
        ? "<span class=\"mark\">" + escape(spelling.apply(token.id())) + "</span>"
        : "<bdi>"
            + escape(token.text()).replace(" ", "<span class=\"mark\">␣</span>").replace("\n", "↵")
            + "</bdi>";
  }

  private void card(int index, TokenTrace token) {
    page.append("<div class=\"card\" role=\"tooltip\" id=\"card%d\"><h3>".formatted(index))
        .append(named(token.token()))
        .append("</h3><p>token %d, id %d, ".formatted(index + 1, token.token().id()))
        .append(
            token.accepted()
                ? "drafted and accepted"
                : token
                    .drafted()
                    .map(d -> named(d) + " was drafted, refused")
                    .orElse("not drafted"))
        .append("</p>\n<table><thead><tr><th scope=\"col\">token</th>")
        .append("<th scope=\"col\">combined</th>");
    for (String model : models) {
      page.append("<th scope=\"col\">").append(escape(model)).append("</th>");
    }
    page.append("</tr></thead>\n<tbody>");
    rows(token).forEach(row -> row(row, token));
    page.append("</tbody>\n<tfoot>");
    footer("shift of the token", i -> signed(token.token().shift(i)));
    footer(
        "total variation", i -> String.format(Locale.ROOT, "%.2f", token.totalVariations().get(i)));
    page.append("</tfoot></table></div>");
  }

  /** The candidates, and behind them the token and the drafted one if they are none of them. */
  private static List<TracedToken> rows(TokenTrace token) {
    List<TracedToken> rows = new ArrayList<>(token.candidates());
    if (!rows.contains(token.token())) {
      rows.add(token.token());
    }
    token.drafted().filter(d -> !rows.contains(d)).ifPresent(rows::add);
    return rows;
  }

  private void row(TracedToken row, TokenTrace token) {
    page.append(row.equals(token.token()) ? "<tr class=\"chosen\">" : "<tr>")
        .append("<th scope=\"row\">")
        .append(named(row))
        .append("</th>");
    cell(row.logProbability());
    row.modelLogProbabilities().forEach(this::cell);
    page.append("</tr>\n");
  }

  private void cell(double logProbability) {
    page.append("<td>")
        .append(percent(Math.exp(logProbability)))
        .append("<small>")
        .append(number(logProbability))
        .append("</small></td>");
  }

  private void footer(String name, IntFunction<String> value) {
    page.append("<tr><th scope=\"row\">").append(name).append("</th><td></td>");
    for (int i = 0; i < models.size(); i++) {
      page.append("<td>").append(value.apply(i)).append("</td>");
    }
    page.append("</tr>");
  }

  /** Bars of total variation, the share of accepted drafts as a line, and each draft as a mark. */
  private void chart() {
    List<TokenTrace> tokens = trace.tokens();
    boolean drafted = tokens.stream().anyMatch(token -> token.drafted().isPresent());
    page.append("<h2>Along the text</h2>\n<figure><figcaption><span class=\"key\" style=\"")
        .append("background: var(--up); opacity: .55\"></span>total variation between the combined")
        .append(" distribution and that model's");
    if (drafted) {
      page.append(" &ensp; <span class=\"key\" style=\"background: var(--strong); height: 3px;")
          .append(" vertical-align: 3px\"></span>share of drafted tokens that were accepted,")
          .append(" of the last %d".formatted(ACCEPTANCE_WINDOW));
    }
    page.append("</figcaption>\n<div class=\"chart\"><div class=\"axis\"><span>1</span>")
        .append("<span>0</span></div>\n")
        .append(
            "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\""
                .formatted(tokens.size(), CHART_HEIGHT))
        .append(" aria-label=\"Total variation and acceptance along the text\">\n");
    for (int i = 0; i < tokens.size(); i++) {
      page.append("<rect class=\"variation\" x=\"%d.1\" y=\"0\" width=\".8\"".formatted(i))
          .append(" height=\"%d\" style=\"".formatted(CHART_HEIGHT));
      for (int model = 0; model < models.size(); model++) {
        double variation = tokens.get(i).totalVariations().get(model);
        page.append("--v%d:%s;".formatted(model, plain(variation)));
      }
      page.append("\"/>\n");
    }
    if (drafted) {
      page.append("<polyline class=\"acceptance\" points=\"%s\"/>\n".formatted(acceptance()));
    }
    page.append("</svg>\n");
    if (drafted) {
      drafts();
    }
    page.append("</div></figure>\n");
  }

  private String acceptance() {
    StringBuilder points = new StringBuilder();
    List<Boolean> checked = new ArrayList<>();
    for (int i = 0; i < trace.tokens().size(); i++) {
      if (trace.tokens().get(i).drafted().isPresent()) {
        checked.add(trace.tokens().get(i).accepted());
        List<Boolean> last =
            checked.subList(Math.max(0, checked.size() - ACCEPTANCE_WINDOW), checked.size());
        double share = (double) last.stream().filter(a -> a).count() / last.size();
        points.append("%d.5,%s ".formatted(i, plain(CHART_HEIGHT * (1 - share))));
      }
    }
    return points.toString().strip();
  }

  private void drafts() {
    List<TokenTrace> tokens = trace.tokens();
    page.append("<div></div><svg class=\"drafts\" viewBox=\"0 0 %d 1\"".formatted(tokens.size()))
        .append(" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Drafted tokens\">\n");
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.get(i).drafted().isPresent()) {
        page.append(
            "<rect class=\"%s\" x=\"%d.1\" y=\"0\" width=\".8\" height=\"1\"/>\n"
                .formatted(state(tokens.get(i)), i));
      }
    }
    page.append("</svg>\n");
  }

  /** A number for a machine. */
  private static String plain(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  /** A number for a reader. */
  private static String number(double value) {
    if (Double.isInfinite(value)) {
      return value < 0 ? "−∞" : "∞";
    }
    return Double.isNaN(value)
        ? "undefined"
        : String.format(Locale.ROOT, "%.2f", value).replace('-', '−');
  }

  private static String signed(double value) {
    return (value > 0 ? "+" : "") + number(value);
  }

  private static String percent(double share) {
    double percent = 100 * share;
    if (percent > 0 && percent < 0.01) {
      return "&lt;0.01 %";
    }
    return String.format(Locale.ROOT, percent < 10 ? "%.2f %%" : "%.1f %%", percent);
  }
}
